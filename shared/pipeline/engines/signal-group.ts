/**
 * One switch for many waits. An AbortSignal that all of them shared would get slower with each listener, and Node warns
 * of a leak from the eleventh on; so whoever needs one has one of its own, for as long as the wait lasts.
 */
import { Failure } from '../../failure';
import { createSwitch, type Signal } from '../../signal';

export interface SignalGroup {
  readonly aborted: boolean;
  /** Aborts as soon as the group does: for who needs no more than to be told. */
  readonly signal: Signal;
  /** Does the work under a signal that aborts, with `stopping`, as soon as the group does. */
  using<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  abort(): void;
}

export const signalGroup = (): SignalGroup => {
  const members = new Set<AbortController>();
  const shared = createSwitch();
  let reason: Failure | undefined;
  return {
    get aborted() {
      return reason !== undefined;
    },
    signal: shared.signal,
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
      shared.abort();
    },
  };
};
