/** What a process remembers of the targets of its calls: bounded, whatever it calls. */
import type { Clock } from '../clock';
import { isBlank, isIdle, newTarget, type Target } from './target';

/** Targets whose past is kept; beyond it the one that was called longest ago is forgotten. */
export const MAX_REMEMBERED = 1_024;

export interface KnownTargets {
  recall(name: string): Target;
  /** Takes note that a call has ended or was not made: nothing need be known of a target that is well. */
  forget(target: Target): void;
}

export const knownTargets = (clock: Pick<Clock, 'now'>): KnownTargets => {
  /** Who was called longest ago comes first. */
  const targets = new Map<string, Target>();
  return {
    recall: (name) => {
      const target = targets.get(name) ?? newTarget(name);
      targets.delete(name);
      targets.set(name, target);
      for (const oldest of targets.values()) {
        if (targets.size <= MAX_REMEMBERED) break;
        if (isIdle(oldest) && oldest !== target) targets.delete(oldest.name);
      }
      return target;
    },
    forget: (target) => {
      if (isIdle(target) && isBlank(target, clock.now())) targets.delete(target.name);
    },
  };
};
