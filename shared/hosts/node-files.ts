/** The files beside a function, on a machine that has some. Fails closed: what cannot be read is refused by name. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Files } from '../platform';

/** Relative paths start in `folder`. */
export const nodeFiles = (folder: string): Files => ({
  readNow: (file) => {
    try {
      return readFileSync(path.resolve(folder, file), 'utf8');
    } catch (thrown) {
      throw unreadable(file, thrown);
    }
  },
  read: async (file) => {
    try {
      return await readFile(path.resolve(folder, file), 'utf8');
    } catch (thrown) {
      throw unreadable(file, thrown);
    }
  },
});

const unreadable = (file: string, thrown: unknown): TypeError => {
  const { code = 'unknown' } = thrown as NodeJS.ErrnoException;
  return new TypeError(`the file ${file} cannot be read (${code})`, { cause: thrown });
};
