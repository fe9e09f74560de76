/** A proxy in a few lines: undici's dispatch, one shard after the other, the fields as they come. */
const http = require('node:http');
const { Pool } = require('undici');

const pools = process.env.SHARDS.split(',').map((url) => new Pool(url, { connections: 64 }));
let next = 0;

http
  .createServer((incoming, outgoing) => {
    const pool = pools[next++ % pools.length];
    const headers = [];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2)
      if (!/^(host|connection|keep-alive)$/i.test(incoming.rawHeaders[i]))
        headers.push(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
    pool.dispatch(
      { method: incoming.method, path: incoming.url, headers },
      {
        onRequestStart() {},
        onResponseStart({ rawHeaders }, status) {
          const fields = [];
          for (let i = 0; i < rawHeaders.length; i += 2) {
            const name = rawHeaders[i].toString('latin1');
            if (!/^(connection|keep-alive|transfer-encoding)$/i.test(name))
              fields.push(name, rawHeaders[i + 1].toString('latin1'));
          }
          outgoing.writeHead(status, fields);
        },
        onResponseData(_controller, part) {
          outgoing.write(part);
        },
        onResponseEnd() {
          outgoing.end();
        },
        onResponseError() {
          outgoing.destroy();
        },
      },
    );
  })
  .listen(Number(process.env.PORT), '127.0.0.1');
