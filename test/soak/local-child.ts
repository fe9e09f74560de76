/**
 * A process with the local engine, which kills itself at the n-th boundary of its journal: right before it writes, or
 * right after, before anybody has heard of it.
 */
import { systemClock } from '../../shared/clock';
import { type Journal, openJournal } from '../../shared/pipeline/engines/journal';
import { localEngine } from '../../shared/pipeline/engines/local';
import { systemRandom } from '../../shared/random';
import { testContext } from '../support/invoke';
import { boundary, callsTo, obey } from './child-loop';

const WRITES: ReadonlySet<string> = new Set([
  'accept',
  'record',
  'addGoneTarget',
] satisfies (keyof Journal)[]);

const bounded = (journal: Journal): Journal =>
  Object.fromEntries(
    Object.entries(journal).map(([name, method]) => [
      name,
      WRITES.has(name)
        ? async (...args: readonly unknown[]) => {
            boundary();
            const result = await (method as (...args: readonly unknown[]) => Promise<unknown>)(
              ...args,
            );
            boundary();
            return result;
          }
        : method,
    ]),
  ) as unknown as Journal;

obey(async ({ engine, url }) => {
  if (!('path' in engine)) throw new TypeError('this is the local engine');
  return localEngine({
    openJournal: async () => bounded(await openJournal(engine.path)),
    ...callsTo(url),
    clock: systemClock,
    random: systemRandom,
    log: testContext().log,
  });
});
