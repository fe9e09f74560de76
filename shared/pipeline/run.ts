/** A run: one passage of one input through a pipeline. */

export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled';
export type StepState = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';

/**
 * Why a step was skipped: its `when` found nothing; its webhook has no URL; a required step before it failed;
 * the run's deadline passed before it could start.
 */
export type SkipReason = 'condition' | 'not_configured' | 'upstream' | 'deadline';

/** Of the last attempt: a failure code, and the status when there was an answer. */
export interface StepError {
  readonly code: string;
  readonly status?: number;
}

/** A call as it stands: of a step, or of what undoes it. Times are ISO 8601 in UTC. */
export interface CallResult {
  /** Attempts begun; 0 before the first. */
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When the next attempt begins, while it waits for that. */
  readonly nextAttemptAt?: string;
  readonly error?: StepError;
}

export interface UndoResult extends CallResult {
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed';
}

export interface StepResult extends CallResult {
  readonly state: StepState;
  readonly reason?: SkipReason;
  /** The exposed part of the answer, and nothing else of it. */
  readonly output?: unknown;
  /** From the first wanted re-send on: 2, 3 … It is part of the idempotency key. */
  readonly generation?: number;
  /** Of a step that waits for somebody: the digest of the answer, which may come before its time. Never shown. */
  readonly answered?: string;
  /** How taking its effect back stands; absent while nobody wants that. */
  readonly undo?: UndoResult;
  /** What other steps read of the answer, by JSON Pointer. Never shown. */
  readonly kept?: Readonly<Record<string, unknown>>;
}

export type Results = Readonly<Record<string, StepResult>>;

/** Somebody wanted a run to go on that had ended. */
export interface Replay {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** That were to run again. */
  readonly steps: readonly string[];
  /** Whether under new keys: also what had succeeded was sent again. */
  readonly resend: boolean;
}

/** What a reader sees: never the input. */
export interface Run {
  readonly id: string;
  readonly pipeline: string;
  /** Digest of the graph that it was started with. */
  readonly graph: string;
  readonly state: RunState;
  readonly steps: Results;
  readonly createdAt: string;
  readonly deadlineAt: string;
  readonly endedAt?: string;
  /** Who called it off, and why. */
  readonly cancelled?: { readonly at: string; readonly by: string; readonly reason: string };
  /** @default none */
  readonly replays?: readonly Replay[];
}

/** A run in a list. */
export type RunSummary = Omit<Run, 'steps' | 'replays' | 'cancelled'>;
