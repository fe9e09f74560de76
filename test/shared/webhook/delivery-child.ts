/** A process of its own that delivers: what a line of JSON on its standard input asks for, one line for each answer. */
import { createInterface } from 'node:readline';
import { parseAllow } from '../../../shared/webhook/allow';
import { deliver } from '../../../shared/webhook/deliver';
import { createGuard } from '../../../shared/webhook/guard';

interface Wish {
  readonly url: string;
  /** As in WEBHOOK_ALLOW. */
  readonly allow: string;
  readonly timeout: number;
}

/** The most that was in use since the last answer, in bytes. */
let peak = 0;
const look = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss());
};
setInterval(look, 5).unref();

const answer = async ({ url, allow, timeout }: Wish): Promise<void> => {
  const start = performance.now();
  // What the machine itself takes for a deadline.
  const bare = new Promise<number>((resolve) =>
    setTimeout(() => resolve(performance.now() - start), timeout).unref(),
  );
  const delivery = await deliver({
    url,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"a":1}'),
    timeout,
    signal: new AbortController().signal,
    guard: createGuard({ allow: parseAllow(allow) }),
  });
  const elapsed = performance.now() - start;
  look();
  const hasTimedOut = 'error' in delivery && delivery.error === 'timeout';
  const told = { delivery, elapsed, peak, ...(hasTimedOut && { bare: await bare }) };
  console.log(JSON.stringify(told));
  peak = 0;
};

const main = async (): Promise<void> => {
  for await (const line of createInterface({ input: process.stdin }))
    await answer(JSON.parse(line));
};

void main();
