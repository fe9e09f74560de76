/**
 * A pipeline in the language of another engine: what it says there is what it says here, or it is refused.
 *
 * Kept exactly: which steps are called, in an order that breaks no `after`, with which body and key, on which condition,
 * how often and after which wait at least, within which timeout, and whether a failure ends the run. A wait or an order
 * that is stricter than written is allowed, and told in the notes; so is that Knative has one id for all calls of an
 * event. Who may start a run, what its input must be and how long it is kept is up to the engine, and so is what our
 * delivery does beside: Retry-After, the guard against inner addresses, circuit breakers, dead letters, replay.
 */
import type { Pipeline } from '../pipeline';

export interface ExportOptions {
  /** Base URL of the functions, such as `https://faas.example.com`. @default none: steps that call one are refused */
  readonly functionsUrl?: string;
  /**
   * Whether calls may go out without our signature. None of the formats can make one: a receiver that verifies it
   * must be told to take something else. @default false: every webhook is refused
   */
  readonly unsigned?: boolean;
  /** Knative only: URL that gets what could not be delivered. @default none: required steps are refused */
  readonly deadLetterSink?: string;
}

export interface Refusal {
  readonly step: string;
  readonly reason: string;
}

export type Exported =
  | {
      readonly text: string;
      /** What whoever runs it must know: parameters, what is stricter, what is not carried over. Also in the text. */
      readonly notes: readonly string[];
    }
  /** All that cannot be said, in the order of the pipeline. */
  | { readonly refused: readonly Refusal[] };

/** Throws a TypeError for an option that is no URL of http or https. */
export type Exporter = (pipeline: Pipeline, options?: ExportOptions) => Exported;
