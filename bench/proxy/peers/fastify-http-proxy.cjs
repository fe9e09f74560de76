const fastify = require('fastify')();

const shards = process.env.SHARDS.split(',');
let next = 0;

fastify.register(require('@fastify/http-proxy'), {
  upstream: '',
  undici: { connections: 64, pipelining: 1 },
  replyOptions: { getUpstream: () => shards[next++ % shards.length] },
});
fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
