/**
 * Ids of runs: 30 URL-safe characters, of which nobody can guess one. What begins at the same time begins with the same
 * characters, so that a journal with a million runs finds their places in its index side by side, and a commit writes
 * one page of it in place of one for each run. They begin with a hexadecimal digit: a hyphen there would be taken for an
 * option by commands.
 */
import { type Random, randomId } from '../../random';

/** Where the clock of an id begins again, after 49 days: it is no time to be read. */
const ROUND = 2 ** 32;

/** 128 random bits behind 32 of the clock: who has the id may see the run. */
export const runId = (now: number, random: Random): string =>
  (now % ROUND).toString(16).padStart(8, '0') + randomId(random);
