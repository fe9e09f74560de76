/**
 * Clients of a balancer on kept connections, at a steady rate. Run as a child: the one argument is `RollingLoad` as JSON.
 * It says when it is under way; any line on standard input ends it, and once all answers are there it prints how many,
 * after it has written a line for each: call, method, path, status or what broke.
 */
import { Pool } from 'undici';
import { paced } from './paced';
import { randomOf } from './random';

export interface RollingLoad {
  /** The socket of the balancer. */
  readonly balancer: string;
  /** Each call is named by it and a number. */
  readonly name: string;
  readonly seed: number;
  /** Requests per second. */
  readonly rate: number;
  readonly connections: number;
  readonly file: string;
}

const { balancer, name, seed, rate, connections, file } = JSON.parse(
  process.argv[2] as string,
) as RollingLoad;
/** One of so many takes its time, so that some are always under way. */
const SLOW = 50;
const BEGUN = 50;

const pool = new Pool('http://replicas', {
  socketPath: balancer,
  connections,
  headersTimeout: 20_000,
});
const random = randomOf(seed);
const pick = (most: number): number => Math.floor(random() * most);
const answers: string[] = [];
let calls = 0;
let underWay = 0;

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

const next = (id: string): Call => {
  switch (pick(3)) {
    case 0:
      return { method: 'GET', path: '/add-defaults/items?page=2' };
    case 1:
      return { method: 'POST', path: '/add-defaults/items', body: { id } };
    default:
      return {
        method: 'POST',
        path: '/create-user',
        body: { username: id, email: `${id}@example.com` },
      };
  }
};

const call = async (): Promise<void> => {
  calls += 1;
  const id = `${name}-${calls}`;
  const { method, path, body } = next(id);
  const wait = pick(SLOW) === 0 ? { 'x-wait': `${pick(400)}` } : {};
  underWay += 1;
  let told: string;
  try {
    const answer = await pool.request({
      method,
      path,
      headers: {
        'x-call': id,
        'x-upstream': 'replicas',
        ...wait,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    told = `${answer.statusCode}`;
    if (answer.statusCode >= 400) told += ` ${text.slice(0, 200).replaceAll(/\s+/g, ' ')}`;
  } catch (error) {
    told = (error as Error).message;
  }
  underWay -= 1;
  answers.push(`${id}\t${method}\t${path}\t${told}`);
  if (answers.length === BEGUN) process.stdout.write('begun\n');
};

paced({
  rate,
  mayBegin: () => underWay < connections,
  begin: () => void call(),
  isIdle: () => underWay === 0,
  answers,
  file,
});
