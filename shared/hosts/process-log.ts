/** The log of a host process: one JSON line each on standard output, where every platform collects it. */
import { systemClock } from '../clock';
import type { Log, Severity } from '../handler';
import { createLog } from '../log';

/** Logs of this severity and above, each with the fields it is given. @default level: 'info' */
export const processLog =
  (level: string | undefined) =>
  (fields: object): Log =>
    createLog({
      now: systemClock.now,
      write: (line) => process.stdout.write(`${line}\n`),
      level: (level || 'info') as Severity,
      fields: { ...fields },
    });
