const { start } = require('faas-js-runtime');
const { complete } = require('./complete.cjs');

const handle = (context, body) => complete(context.method, '/', context.headers, body);
start(handle, { port: Number(process.env.PORT) });
