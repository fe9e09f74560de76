/** What add-defaults does, by its own code, on bare node:http: strict reading, completing, the check, the echo. */
import { createServer } from 'node:http';
import { findMissing, insertInto } from '../../functions/add-defaults/complete';
import { generatorsFor } from '../../functions/add-defaults/generate';
import { readShape } from '../../functions/add-defaults/shape';
import { systemClock } from '../../shared/clock';
import { parseChecked } from '../../shared/json';
import { systemRandom } from '../../shared/random';
import { assertValid, compileForeign } from '../../shared/schema';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', 'x-generate': 'name' },
    color: { type: 'string', default: 'blue' },
  },
};
const check = compileForeign(schema);
const shape = readShape(schema);
const made = { clock: systemClock, random: systemRandom };
const decoder = new TextDecoder('utf-8', { fatal: true });

createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const text = decoder.decode(Buffer.concat(parts));
    const whole = insertInto(text, findMissing(text, shape, generatorsFor(made)));
    assertValid(check, parseChecked(whole));
    const { method, url, headers } = request;
    const seen = JSON.stringify({
      method,
      path: url,
      query: '',
      headers: {
        'content-type': headers['content-type'],
        'content-length': `${Buffer.byteLength(whole)}`,
      },
    });
    const answer = `${seen.slice(0, -1)},"body":${whole}}`;
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
