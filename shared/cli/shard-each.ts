/** What a shard command does with each key of stdin: a line of JSON for each line, in their order, as fast as it is read. */
import type { FullIo } from './io';
import { type KeyOptions, readKeys } from './shard-keys';
import { count, showJson } from './text';

/**
 * The exit code: 1 when a line was no key, each of which is told in its place, or when the command was interrupted.
 * `show` gives a line with its line break.
 */
export const forEachKey = async (
  io: FullIo,
  options: KeyOptions,
  show: (key: string) => string,
): Promise<number> => {
  let done = 0;
  let bad = 0;
  for await (const keys of readKeys('-', options, io)) {
    let text = '';
    for (const key of keys) {
      if (typeof key === 'string') text += show(key);
      else {
        bad += 1;
        text += `${showJson(key)}\n`;
      }
    }
    done += keys.length;
    io.stdout(text);
    // Whoever reads slowly is not written to faster: memory holds one lot.
    await io.drained();
  }
  if (io.signal.aborted) io.stderr(`interrupted after ${count(done, 'line')}\n`);
  if (bad > 0) io.stderr(`${bad} of ${count(done, 'line')} ${bad === 1 ? 'is' : 'are'} no key\n`);
  return bad > 0 || io.signal.aborted ? 1 : 0;
};
