/** A run in the hands of a test: it tells what happens, and sees how the run stands. */
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import { begin } from '../../../../shared/pipeline/machine/begin';
import {
  type ReplayRefusal,
  type ReplayRequest,
  replay,
} from '../../../../shared/pipeline/machine/replay';
import { type RunEvent, transition } from '../../../../shared/pipeline/machine/transition';
import { type Underway, underway } from '../../../../shared/pipeline/machine/underway';
import type { Pipeline } from '../../../../shared/pipeline/pipeline';
import { type Progress, resultOf } from '../../../../shared/pipeline/progress';
import type { StepResult } from '../../../../shared/pipeline/run';

export const START = Date.UTC(2026, 0, 1);
export const at = (ms: number): string => new Date(START + ms).toISOString();

export const DELIVERED: AttemptOutcome = { verdict: 'delivered' };
export const REFUSED: AttemptOutcome = { verdict: 'dead', error: { code: 'refused', status: 422 } };
export const EXHAUSTED: AttemptOutcome = {
  verdict: 'dead',
  error: { code: 'refused', status: 503 },
};
export const again = (ms: number): AttemptOutcome => ({
  verdict: 'again',
  error: { code: 'refused', status: 503 },
  at: START + ms,
});
export const postponed = (ms: number): AttemptOutcome => ({ verdict: 'postponed', at: START + ms });
export const WHO = { by: 'ada', reason: 'a reason' };

export interface Drive {
  pipeline: Pipeline;
  progress: Progress;
  /** ms since START */
  now: number;
  step(name: string): StepResult;
  /** By name and state; with the reason where there is one. */
  states(): Readonly<Record<string, string>>;
  /** Names of the activities under way. */
  doing(): readonly string[];
  underway(): Underway;
  /** Whether it meant anything. */
  tell(event: RunEvent): boolean;
  /** Ends the current attempt. */
  end(step: string, outcome?: AttemptOutcome, undo?: boolean): boolean;
  signal(step: string, data?: unknown, fingerprint?: string): boolean;
  cancel(): boolean;
  due(ms: number): boolean;
  replay(request?: Partial<ReplayRequest>): ReplayRefusal | undefined;
}

export const drive = (
  pipeline: Pipeline,
  {
    input = {},
    isConfigured = () => true,
    begins = true,
  }: {
    readonly input?: unknown;
    readonly isConfigured?: () => boolean;
    readonly begins?: boolean;
  } = {},
): Drive => {
  const self: Drive = {
    pipeline,
    progress: begin(pipeline, { input, isConfigured, now: START }),
    now: 0,
    step: (name) => resultOf(self.progress.results, name),
    states: () =>
      Object.fromEntries(
        self.pipeline.steps.map(({ name }) => {
          const { state, reason, undo } = self.step(name);
          return [name, `${reason ?? state}${undo ? `, undo ${undo.state}` : ''}`];
        }),
      ),
    doing: () => self.underway().attempts.map(({ id }) => id),
    underway: () => underway(self.pipeline, self.progress),
    tell: (event) => {
      const before = self.progress;
      const now = START + self.now;
      self.progress = transition(self.pipeline, before, event, { now, begin: begins });
      return self.progress !== before;
    },
    end: (name, outcome = DELIVERED, undo = false) => {
      const activity = self
        .underway()
        .attempts.find((one) => one.step.name === name && one.undo === undo);
      if (!activity) throw new Error(`${name} is not under way`);
      const { attempt } = activity;
      return self.tell({ kind: 'ended', step: name, undo, attempt, outcome });
    },
    signal: (step, data = {}, fingerprint = JSON.stringify(data)) =>
      self.tell({ kind: 'signalled', step, data, fingerprint }),
    cancel: () => self.tell({ kind: 'cancelled', by: 'ada', reason: 'a reason' }),
    due: (ms) => {
      self.now = ms;
      return self.tell({ kind: 'due' });
    },
    replay: (request = {}) => {
      const found = replay(
        self.pipeline,
        self.progress,
        { ...WHO, ...request },
        { now: START + self.now },
      );
      if ('code' in found) return found;
      self.progress = found;
      return undefined;
    },
  };
  return self;
};
