/** What of the command line becomes part of a path: checked here, so that no part of it can mean another path. */
import path from 'node:path';
import type { Clock } from '../clock';
import { parseDuration } from '../duration';
import { UsageError } from './flags';
import { oneLine } from './text';

const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Of a pipeline, or of its file. */
export const pipelineName = (text: string): string =>
  named(isFile(text) ? path.basename(text).replace(/\.ya?ml$/, '') : text, 'a pipeline');

export const isFile = (text: string): boolean => /[\\/]|\.ya?ml$/.test(text);

export const stepName = (text: string): string => named(text, 'a step');

const named = (text: string, what: string): string => {
  if (NAME.test(text)) return text;
  throw new UsageError(`${JSON.stringify(oneLine(text))} is not the name of ${what}`);
};

export const isRunId = (text: string): boolean => /^[\w-]{1,64}$/.test(text);

export const runId = (text: string): string => {
  if (isRunId(text)) return text;
  throw new UsageError(`${JSON.stringify(oneLine(text))} is not the id of a run`);
};

/** A whole number from 1 on; `undefined` when it is not given. Throws a UsageError for any other. */
export const readCount = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} must be a whole number from 1 on`);
};

/** `60s`; ms. Throws a UsageError for anything else. */
export const readDuration = (name: string, text: string): number => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UsageError(`--${name} must be a duration such as 60s`);
};

/** `2026-01-31T09:00:00Z`, or `2h` for so long ago; as the server takes it. Throws a UsageError for anything else. */
export const readInstant = (
  name: string,
  text: string | undefined,
  clock: Clock,
): string | undefined => {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(clock.now() - ago).toISOString();
  const at = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new UsageError(
    `--${name} must be an instant such as 2026-01-31T09:00:00Z, or how long ago, such as 2h`,
  );
};
