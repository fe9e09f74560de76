/**
 * One switch for many waits. A signal that all of them shared would get slower with each listener, and Node warns of
 * a leak from the eleventh on; so each has a signal of its own, for as long as it lasts.
 */
import { Failure } from '../../failure';

export interface SignalGroup {
  readonly aborted: boolean;
  /** Does the work under a signal that aborts, with `stopping`, as soon as the group does. */
  using<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  abort(): void;
}

export const signalGroup = (): SignalGroup => {
  const members = new Set<AbortController>();
  let reason: Failure | undefined;
  return {
    get aborted() {
      return reason !== undefined;
    },
    using: async (work) => {
      const member = new AbortController();
      if (reason) member.abort(reason);
      members.add(member);
      try {
        return await work(member.signal);
      } finally {
        members.delete(member);
      }
    },
    abort: () => {
      reason ??= new Failure('stopping');
      for (const member of members) member.abort(reason);
    },
  };
};
