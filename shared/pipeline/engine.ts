/**
 * The port of the engine that carries runs through. Adapters: local (embedded sqlite journal), restate. Both feed the
 * same state machine (machine/), so that the same file ends the same way on each.
 */
import type { GraphChange } from './diff';
import type { ReplayRequest } from './machine/replay';
import type { Pipeline } from './pipeline';
import type { Run, RunState, RunSummary, StepError } from './run';

export interface StartOptions {
  /** The same key and the same input give the same run. @default every start is a new run */
  readonly idempotencyKey?: string | undefined;
  readonly traceparent: string;
}

/** `mismatch`: this key was used with another input. */
export type Started = { readonly run: Run; readonly created: boolean } | 'mismatch';

/** What was asked of a run, and cannot be done with it as it is. A value: somebody else was first, or it is too late. */
export interface Refusal {
  readonly code:
    | 'not_found'
    | 'run_ended'
    | 'not_waiting'
    | 'run_not_ended'
    | 'unknown_step'
    | 'nothing_to_replay'
    | 'replay_blocked'
    | 'graph_conflict';
  readonly detail: string;
  /** Of `graph_conflict`: what is not the same any more. */
  readonly changes?: readonly GraphChange[];
}

/** The run as it is now that this is recorded. */
export type Commanded = { readonly run: Run } | { readonly refused: Refusal };

export interface Page {
  /** Where the page before has ended: its `next`. @default the newest */
  readonly after?: string | undefined;
  /** 1 to 500. @default 50 */
  readonly limit?: number | undefined;
}

export interface RunQuery extends Page {
  readonly pipeline: string;
  /** @default any */
  readonly state?: RunState | undefined;
  /** Accepted at this instant or later, ms since the epoch. @default any */
  readonly since?: number | undefined;
  /** Accepted before this instant, ms since the epoch. @default any */
  readonly until?: number | undefined;
}

export interface DeadLetterQuery extends Page {
  readonly pipeline: string;
  /** @default any */
  readonly step?: string | undefined;
  /** The failure code of the last attempt. @default any */
  readonly code?: string | undefined;
}

/** A step that has failed for good, and waits for somebody to replay it. */
export interface DeadLetter {
  readonly run: string;
  readonly step: string;
  /** Digest of the graph that the run was started with. */
  readonly graph: string;
  readonly attempts: number;
  readonly failedAt: string;
  readonly error?: StepError;
}

/** A run with all that an operator may see. */
export interface Inspection {
  readonly run: Run;
  readonly input: unknown;
  readonly pipeline: Pipeline;
}

export interface ReplayOrder extends ReplayRequest {
  /** On the graph of now, where that is the same for all that has begun. @default the graph of the run */
  readonly upgrade?: boolean | undefined;
}

/** A target that has said it is gone, and is not called until somebody enables it. */
export interface DisabledTarget {
  readonly name: string;
  readonly at: string;
}

/**
 * Rejects with `engine_unavailable` when nothing can be recorded; nothing was accepted then.
 */
export interface Engine {
  /** Makes a pipeline known; before `resume`. Throws a TypeError when the name is taken. */
  register(pipeline: Pipeline): void;
  /** Takes hold of the journal. Rejects with `engine_unavailable` when it cannot be had. Called before the host listens. */
  open(): Promise<void>;
  /** Records a run, durably, and begins it. `input` has been checked against the pipeline's schema. */
  start(pipeline: string, input: unknown, options: StartOptions): Promise<Started>;
  find(pipeline: string, id: string): Promise<Run | undefined>;
  /** The run as soon as it has ended, or as it is when the signal aborts. */
  settled(pipeline: string, id: string, signal: AbortSignal): Promise<Run | undefined>;
  /**
   * The run as it is, then as it is after a change, and at last as it ended: may skip states, never the latest.
   * Ends there, when the signal aborts, and when the engine closes. Nothing, when there is no such run.
   */
  watch(pipeline: string, id: string, signal: AbortSignal): AsyncIterable<Run>;
  /** Newest first. `next` is absent on the last page. */
  list(query: RunQuery): Promise<{ readonly runs: readonly RunSummary[]; readonly next?: string }>;
  /** Newest runs first. `next` is absent on the last page. */
  deadLetters(
    query: DeadLetterQuery,
  ): Promise<{ readonly deadLetters: readonly DeadLetter[]; readonly next?: string }>;
  inspect(pipeline: string, id: string): Promise<Inspection | undefined>;
  /** Answers a step that waits, or will. The first answer counts; the same again is no mistake. */
  signal(pipeline: string, id: string, step: string, data: unknown): Promise<Commanded>;
  /** What is under way may end, nothing more begins, and what has an `undo` is taken back. */
  cancel(
    pipeline: string,
    id: string,
    order: { readonly by: string; readonly reason: string },
  ): Promise<Commanded>;
  replay(pipeline: string, id: string, order: ReplayOrder): Promise<Commanded>;
  /** Targets that are gone; those of all pipelines. */
  disabledTargets(): Promise<readonly DisabledTarget[]>;
  /** Whether there was such a target. */
  enableTarget(name: string): Promise<boolean>;
  /** Goes on with every run that had not ended. Called once, when the host can be reached. */
  resume(): Promise<void>;
  /** Begins nothing new and waits for the steps under way, until the signal aborts it; what is open is resumed later. */
  close(signal: AbortSignal): Promise<void>;
}
