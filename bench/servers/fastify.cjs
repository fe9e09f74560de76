const { fastify } = require('fastify');
const { complete } = require('./complete.cjs');

const app = fastify();
app.post('/', async ({ method, url, headers, body }) => complete(method, url, headers, body));
app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
