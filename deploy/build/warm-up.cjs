/** node warm-up.cjs SERVER CACHE: runs the server, sends it a few requests, and writes the code that V8 then has. */
const { writeFileSync } = require('node:fs');
const http = require('node:http');
const vm = require('node:vm');

const [server, cache] = process.argv.slice(2);

// The server's launcher makes one script: this is where to get hold of it.
let script;
vm.Script = class extends vm.Script {
  constructor(...args) {
    super(...args);
    script = this;
  }
};

const post = (port, path, body) =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    http
      .request({ port, path, method: 'POST', headers, agent: false }, (answer) =>
        answer.resume().on('end', resolve),
      )
      .on('error', reject)
      .end(JSON.stringify(body));
  });

const warmUp = async (port) => {
  await post(port, '/add-defaults', { name: 'first' });
  await post(port, '/create-user', { username: 'first', email: 'first@example.com' });
  writeFileSync(cache, script.createCachedData());
  process.exit(0);
};

const { listen } = http.Server.prototype;
http.Server.prototype.listen = function (...args) {
  this.once('listening', () => setTimeout(warmUp, 100, this.address().port));
  return listen.apply(this, args);
};

require(server);
