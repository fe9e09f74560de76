/** JSON log lines as Cloud Logging and Knative collect them: severity, message, request id, trace id, fields. */
import type { Log, LogFields, Severity } from './handler';

const RANK: Readonly<Record<Severity, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const SEVERITY: Readonly<Record<Severity, string>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
};

export interface LogOptions {
  readonly now: () => number;
  /** Takes one line without its line end. */
  readonly write: (line: string) => void;
  /** The least severity that is written. @default 'info' */
  readonly level?: Severity;
  /** Fields that every line carries. @default none */
  readonly fields?: LogFields;
}

export const createLog = ({ now, write, level = 'info', fields = {} }: LogOptions): Log => {
  const at = (severity: Severity) =>
    RANK[severity] < RANK[level]
      ? () => {}
      : (message: string, more: LogFields = {}) =>
          write(
            JSON.stringify({
              severity: SEVERITY[severity],
              time: new Date(now()).toISOString(),
              message,
              ...(redact({ ...fields, ...more }) as object),
            }),
          );
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** Names whose values never reach a log, wherever they stand. */
const SECRET =
  /^(authorization|proxy-?authorization|cookie|set-?cookie|password|passwd|secret|token|api-?key|credentials?|code|otp|text|html|body|to|email|username|user|phone-?number|.*(secret|token|signature|password))$/i;
const MAX_DEPTH = 4;

/** A copy without secrets: by field name, and credentials inside URLs and header-like strings. */
export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? `${value}` : value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET.test(name) ? '[redacted]' : redact(item, depth + 1),
    ]),
  );
};

const redactText = (text: string): string =>
  text
    .slice(0, 4096)
    .replace(/\b(basic|bearer)\s+[\w.~+/=-]+/gi, '$1 [redacted]')
    .replace(/\bwhsec_[\w+/=-]+/g, '[redacted]')
    .replace(/(\w+:\/\/)[^/\s@]*@/g, '$1[redacted]@');

/**
 * An error by its name, code, message and frames only: a vendor's error object may hold the request,
 * with credentials and the text of a message.
 */
const describeError = (error: Error, depth: number): unknown => ({
  name: error.name,
  ...('code' in error && typeof error.code === 'string' && { failure: error.code }),
  message: redactText(error.message),
  frames: (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim()),
  ...(error.cause !== undefined && depth < MAX_DEPTH && { cause: redact(error.cause, depth + 1) }),
});
