/**
 * Receives webhooks on PORTS, a comma-separated list: each is another target. Answers at once with an empty object,
 * but for what it is told by a message:
 *
 *   { slow: ms }       the first ports, all but the last, answer after that
 *   { failures: n }    the last port answers 503 to the first n calls of each run
 *   { hold: n }        after n more calls nobody gets an answer
 *   {}                 all as at first
 *
 * Each message is answered with what was seen since the one before: { calls, connections, firstAt, keys }.
 */
const { createServer } = require('node:http');

const ports = process.env.PORTS.split(',').map(Number);
const ANSWER = '{}';
const HEAD = { 'content-type': 'application/json', 'content-length': ANSWER.length };

let behaviour = {};
let seen;
const forget = () => {
  seen = { calls: 0, connections: 0, firstAt: undefined, keys: {} };
};
forget();

const answer = (response, status) => {
  response.writeHead(status, HEAD);
  response.end(ANSWER);
};

const receive = (isLast) => (request, response) => {
  seen.calls += 1;
  seen.firstAt ??= Date.now();
  request.resume();
  request.on('end', () => {
    const { slow, failures, hold } = behaviour;
    if (hold !== undefined && seen.calls > hold) return;
    if (failures === undefined) return answer(response, 200);
    const key = request.headers['webhook-id'];
    seen.keys[key] = (seen.keys[key] ?? 0) + 1;
    if (isLast) answer(response, seen.keys[key] > failures ? 200 : 503);
    else setTimeout(answer, slow, response, 200);
  });
};

let listening = 0;
for (const port of ports)
  createServer(receive(port === ports.at(-1)))
    .on('connection', () => {
      seen.connections += 1;
    })
    .on('listening', () => {
      listening += 1;
      if (listening === ports.length) process.send('ready');
    })
    .listen(port, '127.0.0.1');

process.on('message', (message) => {
  behaviour = message;
  process.send(seen);
  forget();
});
process.on('disconnect', () => process.exit());
