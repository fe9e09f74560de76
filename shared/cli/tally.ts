/** How far a long piece of work has come: a line on stderr, drawn anew on a terminal, else now and then. */
import type { FullIo } from './io';
import type { ReplayResult } from './replay-many';

type Outcome = ReplayResult['outcome'];

export interface Tally {
  count(outcome: Outcome): void;
  refused(): number;
  /** The last line. */
  end(before: string): void;
}

/** Between two lines where there is no terminal, ms. */
const NOW_AND_THEN = 10_000;

export const tally = (io: FullIo): Tally => {
  const { stderr, clock, terminals, environment } = io;
  const counts: Record<Outcome, number> = { replayed: 0, skipped: 0, refused: 0 };
  const isDrawn = terminals.stderr !== undefined && environment.TERM !== 'dumb';
  let toldAt = clock.now();
  const text = () =>
    `${counts.replayed} replayed, ${counts.skipped} skipped, ${counts.refused} refused`;
  return {
    count: (outcome) => {
      counts[outcome] += 1;
      if (isDrawn) stderr(`\r${text()}\u001b[K`);
      else if (clock.now() - toldAt >= NOW_AND_THEN) {
        toldAt = clock.now();
        stderr(`${text()}\n`);
      }
    },
    refused: () => counts.refused,
    end: (before) => stderr(`${isDrawn ? '\r\u001b[K' : ''}${before}${text()}\n`),
  };
};
