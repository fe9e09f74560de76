/** The port of the engine that carries runs through. Adapters: local (embedded sqlite journal). */
import type { Pipeline } from './pipeline';
import type { Run } from './run';

export interface StartOptions {
  /** The same key and the same input give the same run. @default every start is a new run */
  readonly idempotencyKey?: string | undefined;
  readonly traceparent: string;
}

/** `mismatch`: this key was used with another input. */
export type Started = { readonly run: Run; readonly created: boolean } | 'mismatch';

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
  /** Goes on with every run that had not ended. Called once, when the host can be reached. */
  resume(): Promise<void>;
  /** Begins nothing new and waits for the steps under way, until the signal aborts them; what is open is resumed later. */
  close(signal: AbortSignal): Promise<void>;
}
