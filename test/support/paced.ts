/** For a process that puts load on others: so many calls a second, until a line comes on standard input. */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Between two looks at the clock, ms. */
const TICK = 10;

export interface PacedOptions {
  /** Calls a second. */
  readonly rate: number;
  /** Above it none is begun: the machine is slower than the rate. */
  readonly mayBegin: () => boolean;
  readonly begin: () => void;
  readonly isIdle: () => boolean;
  /** What has become of the calls, a line each; written to `file` at the end, and counted on standard output. */
  readonly answers: readonly string[];
  readonly file: string;
}

export const paced = ({ rate, mayBegin, begin, isIdle, answers, file }: PacedOptions): void => {
  let owed = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    const now = performance.now();
    owed = Math.min(owed + ((now - last) * rate) / 1000, rate / 10);
    last = now;
    for (; owed >= 1 && mayBegin(); owed -= 1) begin();
  }, TICK);
  createInterface({ input: process.stdin }).once('line', () => {
    clearInterval(ticking);
    const done = setInterval(() => {
      if (!isIdle()) return;
      clearInterval(done);
      writeFileSync(file, answers.join('\n'));
      process.stdout.write(`${answers.length}\n`, () => process.exit());
    }, TICK);
  });
};
