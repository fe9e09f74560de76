/** What an engine brings to the tests that all engines share. */
import type { Clock } from '../../shared/clock';
import type { Engine } from '../../shared/pipeline/engine';
import type { Answer } from '../shared/pipeline/conformance/case';
import type { Receiver } from '../shared/pipeline/conformance/receiver';

export interface EngineLab {
  /** Another one after `restart`. */
  readonly engine: Engine;
  readonly clock: Clock;
  /** The shortest time that makes a difference here, ms of the clock. */
  readonly tick: number;
  /** Who is called by every step of every pipeline. */
  readonly receiver: Receiver;
  /** Lets time pass until it is done. Rejects when that is not so within `most` ms of the clock. */
  runUntil(isDone: () => boolean, most: number): Promise<void>;
  /** Closes the engine without waiting for anything, and goes on with another one on the same journal. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface EngineLabOptions {
  /** How the receiver answers an attempt at a path: `<pipeline>/<step>`, and `/undo` behind that. */
  readonly answer: (path: string, attempt: number) => Answer;
}

export type CreateEngineLab = (options: EngineLabOptions) => Promise<EngineLab>;
