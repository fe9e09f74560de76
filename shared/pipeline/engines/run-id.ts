/**
 * Ids of runs: 27 URL-safe characters, of which nobody can guess one. What begins at the same time begins with the same
 * characters, so that a journal with a million runs finds their places in its index side by side, and a commit writes
 * one page of it in place of one for each run.
 */
import type { Random } from '../../random';

/** Where the clock of an id begins again, after 49 days: it is no time to be read. */
const ROUND = 2 ** 32;

/** 128 random bits behind 32 of the clock: who has the id may see the run. */
export const runId = (now: number, random: Random): string => {
  const id = Buffer.alloc(20);
  id.set(random.bytes(16), 4);
  id.writeUInt32BE(now % ROUND);
  return id.toString('base64url');
};
