/** What the tests of live tables have in common. */
import { afterEach } from '@jest/globals';
import { systemClock } from '../../../../shared/clock';
import { systemRandom } from '../../../../shared/random';
import { type LiveTableOptions, liveTable } from '../../../../shared/shard/members/live-table';
import type { LiveTable } from '../../../../shared/shard/members/source';
import type { TopologyInput } from '../../../../shared/shard/topology';
import { type Line, testContext } from '../../../support/invoke';

export interface Watched {
  readonly table: LiveTable;
  readonly lines: readonly Line[];
  /** Messages of the log of this severity, in their order. */
  logged(severity: Line['severity']): readonly string[];
  /** Begins to follow; ends with the test. */
  follow(): Promise<void>;
  /** Ends what was begun, and waits for it. */
  leave(): Promise<void>;
}

export const NATIVE: TopologyInput = { mode: 'native' };
export const never = new AbortController().signal;

/** `members(2)` are a:80 and b:80. */
export const shardsOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ address: `${String.fromCharCode(97 + n)}:80` }));

export const membersOf = (count: number) => ({ shards: shardsOf(count) });

/** The addresses of now, as one text. */
export const addressesOf = (table: LiveTable): string =>
  (table.current()?.shards ?? []).map(({ address }) => address).join(' ');

/** What a test follows ends with it. */
export const tableLab = () => {
  const leaving: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(leaving.splice(0).map((leave) => leave()));
  });
  return (options: Partial<LiveTableOptions>): Watched => {
    const { log, lines } = testContext();
    const table = liveTable({
      topology: NATIVE,
      clock: systemClock,
      random: systemRandom,
      log,
      ...options,
    });
    const end = new AbortController();
    const works: Promise<void>[] = [];
    const leave = async () => {
      end.abort();
      await Promise.all(works);
    };
    leaving.push(leave);
    return {
      table,
      lines,
      logged: (severity) =>
        lines.filter((line) => line.severity === severity).map(({ message }) => message),
      follow: () => {
        works.push(table.follow(end.signal));
        return works.at(-1) as Promise<void>;
      },
      leave,
    };
  };
};
