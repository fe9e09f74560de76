/** Targets that have said they are gone, in memory to be asked at every call, and in the journal to stay so. */
import type { Clock } from '../../clock';
import { asFailure } from '../../failure';
import type { Log } from '../../handler';
import type { GoneTargets } from '../attempt';
import type { DisabledTarget } from '../engine';
import type { Journal } from './journal';

export interface GoneTargetsOptions {
  readonly journal: () => Promise<Journal>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface KnownGoneTargets extends GoneTargets {
  load(targets: readonly DisabledTarget[]): void;
  /** Whether it was there. */
  remove(name: string): Promise<boolean>;
}

export const goneTargets = ({ journal, clock, log }: GoneTargetsOptions): KnownGoneTargets => {
  const names = new Set<string>();
  return {
    has: (name) => names.has(name),
    load: (targets) => {
      for (const { name } of targets) names.add(name);
    },
    add: async (name) => {
      names.add(name);
      try {
        await (await journal()).addGoneTarget(name, clock.now());
      } catch (error) {
        // Of this process it is known; another one learns it from the target itself.
        log.error('journal_unavailable', { error: asFailure(error) });
      }
    },
    remove: async (name) => {
      const wasRecorded = await (await journal()).removeGoneTarget(name);
      return names.delete(name) || wasRecorded;
    },
  };
};
