/**
 * Clients of several routers, at a steady rate. Run as a child: the one argument is `LoadOptions` as JSON. It says when it
 * is under way; any line on standard input ends it, and once all answers are there it prints how many, after it has
 * written a line for each: call, key, router, status, Retry-After.
 */
import { Pool } from 'undici';
import { paced } from './paced';

export interface LoadOptions {
  readonly routers: readonly string[];
  /** Requests per second, all routers together. */
  readonly rate: number;
  readonly keys: number;
  /** Calls are numbered from here on. */
  readonly firstCall: number;
  readonly file: string;
}

/** So many answers tell that it is under way. */
const BEGUN = 100;
/** Above it a tick is left out: the machine is slower than the rate. */
const MOST_UNDER_WAY = 256;

const { routers, rate, keys, firstCall, file } = JSON.parse(
  process.argv[2] as string,
) as LoadOptions;
const pools = routers.map((url) => new Pool(url, { connections: 32, headersTimeout: 15_000 }));
const answers: string[] = [];
let calls = firstCall;
let underWay = 0;

const call = async (id: number): Promise<void> => {
  // In an order that visits all of them, each through every router in turn.
  const key = `user-${(id * 7919) % keys}`;
  const router = id % routers.length;
  const isPost = id % 4 === 0;
  underWay += 1;
  let told = '0\t';
  try {
    const { statusCode, headers, body } = await (pools[router] as Pool).request({
      method: isPost ? 'POST' : 'GET',
      path: '/items?page=2',
      headers: { 'x-call': `${id}`, 'x-key': key },
      ...(isPost && { body: JSON.stringify({ id, text: 'some' }) }),
    });
    await body.dump();
    told = `${statusCode}\t${headers['retry-after'] ?? ''}`;
  } catch (error) {
    told = `0\t${(error as Error).message}`;
  }
  underWay -= 1;
  answers.push(`${id}\t${key}\t${router}\t${told}`);
  if (answers.length === BEGUN) process.stdout.write('begun\n');
};

paced({
  rate,
  mayBegin: () => underWay < MOST_UNDER_WAY,
  begin: () => {
    calls += 1;
    void call(calls);
  },
  isIdle: () => underWay === 0,
  answers,
  file,
});
