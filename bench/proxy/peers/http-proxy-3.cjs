const http = require('node:http');
const { createProxyServer } = require('http-proxy-3');

const shards = process.env.SHARDS.split(',');
const proxy = createProxyServer({ agent: new http.Agent({ keepAlive: true, maxSockets: 256 }) });
let next = 0;

http
  .createServer((incoming, outgoing) => {
    proxy.web(incoming, outgoing, { target: shards[next++ % shards.length] }, () =>
      outgoing.destroy(),
    );
  })
  .listen(Number(process.env.PORT), '127.0.0.1');
