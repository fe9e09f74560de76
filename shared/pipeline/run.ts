/** A run: one passage of one input through a pipeline. */

export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled';
export type StepState = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';

/** Why a step was skipped: its `when` found nothing; its webhook has no URL; a required step before it failed. */
export type SkipReason = 'condition' | 'not_configured' | 'upstream';

/** Times are ISO 8601 in UTC. */
export interface StepResult {
  readonly state: StepState;
  readonly reason?: SkipReason;
  /** Attempts begun; 0 before the first. */
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When the next attempt begins, while it waits for that. */
  readonly nextAttemptAt?: string;
  /** Of the last attempt: a failure code, and the status when there was an answer. */
  readonly error?: { readonly code: string; readonly status?: number };
  /** The exposed part of the answer, and nothing else of it. */
  readonly output?: unknown;
}

export type Results = Readonly<Record<string, StepResult>>;

/** What a reader sees: never the input. */
export interface Run {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly steps: Results;
  readonly createdAt: string;
  readonly endedAt?: string;
}
