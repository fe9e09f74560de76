/** A pipeline as data: what a file in pipelines/ says, checked and with every default filled in. */
import type { Callers } from '../define';
import type { Schema } from '../schema';

/** Defaults of a step. Durations in ms. */
export const STEP_DEFAULTS = {
  timeout: 10_000,
  retry: { attempts: 5, backoff: 500, maxBackoff: 30_000 },
} as const;

/** The environment variable that holds the secret of a webhook which names none of its own. */
export const DEFAULT_SECRET = 'WEBHOOK_SECRET';

export interface Retry {
  /** The first one included. */
  readonly attempts: number;
  /** Before the second attempt, doubled for each one after it; ms. */
  readonly backoff: number;
  /** Where the doubling ends; ms. Up to half of the wait is added on top at random. */
  readonly maxBackoff: number;
}

/** Where a step goes: a function of the suite, or the URL in an environment variable. */
export type Target =
  | { readonly function: string }
  | { readonly webhook: string; readonly secret: string };

export interface Step {
  readonly name: string;
  readonly target: Target;
  /** Steps that must have ended before. */
  readonly after: readonly string[];
  /** JSON Pointer into the run's input: runs only if it finds something that is neither false, null nor empty. */
  readonly when?: string;
  /** Whether its failure fails the run. */
  readonly required: boolean;
  /** Body of the call: member name to JSON Pointer into the run's input. Absent: the whole input. */
  readonly input?: Readonly<Record<string, string>>;
  /** JSON Pointers into the answer that a reader of the run may see. */
  readonly expose: readonly string[];
  readonly timeout: number;
  readonly retry: Retry;
}

export interface Pipeline {
  readonly name: string;
  readonly summary: string;
  readonly callers: Callers;
  /** JSON Schema of the run's input. */
  readonly input: Schema;
  /** In topological order. */
  readonly steps: readonly Step[];
  /** Digest of all of the above: a run belongs to the graph it was started with. */
  readonly hash: string;
}

/** One mistake in a pipeline file. Line and column count from 1. */
export interface PipelineMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** snake_case, stable */
  readonly code: string;
  readonly message: string;
  /** `warning`: the file is usable all the same. */
  readonly severity: 'error' | 'warning';
}
