import { inspect } from 'node:util';
import type { LogFields } from '../../shared/handler';
import { createLog } from '../../shared/log';

/** All that anybody could ever print of an error: its properties, its stack, its causes, and the log line it makes. */
export const everythingOf = (thrown: unknown): string => {
  const lines: string[] = [];
  const log = createLog({ now: () => 0, write: (line) => lines.push(line), level: 'debug' });
  const fields: LogFields = { error: thrown };
  log.error('send_failed', fields);
  const parts = [inspect(thrown, { depth: Number.POSITIVE_INFINITY, showHidden: true }), ...lines];
  for (let error = thrown, depth = 0; error !== undefined && depth < 10; depth++) {
    parts.push(JSON.stringify(error) ?? '', String(error));
    if (!(error instanceof Error)) break;
    parts.push(error.message, error.stack ?? '');
    error = error.cause;
  }
  return parts.join('\n');
};
