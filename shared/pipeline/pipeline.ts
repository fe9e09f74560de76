/** A pipeline as data: what a file in pipelines/ says, checked and with every default filled in. */
import type { Callers } from '../define';
import type { Schema } from '../schema';

/** Defaults of a step. Durations in ms. */
export const STEP_DEFAULTS = {
  timeout: 10_000,
  retry: { attempts: 5, backoff: 500, maxBackoff: 30_000, jitter: 0.5 },
} as const;

/** Defaults of a pipeline. Durations in ms. */
export const PIPELINE_DEFAULTS = { deadline: 86_400_000, retention: 2_592_000_000 } as const;

/** The environment variable that holds the secret of a webhook which names none of its own. */
export const DEFAULT_SECRET = 'WEBHOOK_SECRET';

/** The step that sends what a pipeline `emits`; no other may have its name. */
export const EMITS = 'emits';

export interface Retry {
  /** The first one included. */
  readonly attempts: number;
  /** Before the second attempt, doubled for each one after it; ms. */
  readonly backoff: number;
  /** Where the doubling ends; ms. */
  readonly maxBackoff: number;
  /** The part of a wait that is added on top of it at random, at most: 0 to 1. */
  readonly jitter: number;
}

/** Where a step goes. */
export type Target =
  /** A function of the suite. */
  | { readonly function: string }
  /** The URL in an environment variable, and the variable with the secret that signs. */
  | { readonly webhook: string; readonly secret: string }
  /** Whoever subscribes to events of this type: the sink of the environment, or pipelines of this suite. */
  | { readonly event: string }
  /** Nowhere: a person or another system answers; the name of the event that it sends. */
  | { readonly wait: string };

/**
 * Member name to what it is read from: a JSON Pointer into the run's input (`/email`), or into the answer of an
 * earlier step (`create-user#/id`).
 */
export type InputMap = Readonly<Record<string, string>>;

/** Runs only if the pointer finds, in the run's input, this very value. */
export interface Equality {
  readonly pointer: string;
  readonly equals: string | number | boolean | null;
}

export interface Call {
  readonly target: Target;
  /** The body. Absent: the whole input of the run. */
  readonly input?: InputMap;
  /** Of one attempt; of a step that waits for an answer: how long it waits. ms */
  readonly timeout: number;
  readonly retry: Retry;
}

export interface Step extends Call {
  readonly name: string;
  /** Steps that must have ended before. */
  readonly after: readonly string[];
  /** JSON Pointer into the run's input: runs only if it finds something that is neither false, null nor empty. */
  readonly when?: string | Equality;
  /** Whether its failure fails the run. */
  readonly required: boolean;
  /** JSON Pointers into the answer that a reader of the run may see. */
  readonly expose: readonly string[];
  /** JSON Pointers into the answer that other steps read: what of it is recorded. */
  readonly keep: readonly string[];
  /** Between the end of all in `after` and the first attempt, ms. @default 0 */
  readonly delay?: number;
  /** Calls to the target in a second, at most, over all runs of this process. @default no limit */
  readonly rate?: number;
  /** What takes the effect of this step back when a required step fails, or the run is cancelled. @default nothing */
  readonly undo?: Call;
}

export interface Pipeline {
  readonly name: string;
  readonly summary: string;
  readonly callers: Callers;
  /** JSON Schema of the run's input. */
  readonly input: Schema;
  /** A CloudEvent of this type starts a run. @default any that is sent to it */
  readonly on?: string;
  /** From a run's acceptance, or replay, to the last instant at which an attempt may begin or last; ms. */
  readonly deadline: number;
  /** How long a run is kept after its end, with its input; ms. */
  readonly retention: number;
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
