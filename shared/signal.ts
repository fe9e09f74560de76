/**
 * What a wait needs of an AbortSignal, and no more. Any AbortSignal will do; where one switch ends thousands of short
 * waits, `createSwitch` gives one that costs nothing to listen to, however many do.
 */

export interface Signal {
  readonly aborted: boolean;
  addEventListener(
    type: 'abort',
    listener: () => void,
    options?: { readonly once?: boolean },
  ): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Switch {
  readonly signal: Signal;
  /** Tells every listener, once; the second time does nothing. */
  abort(): void;
}

/** Each listener is told once at most. */
export const createSwitch = (): Switch => {
  const listeners = new Set<() => void>();
  let aborted = false;
  return {
    signal: {
      get aborted() {
        return aborted;
      },
      addEventListener: (_type, listener) => void listeners.add(listener),
      removeEventListener: (_type, listener) => void listeners.delete(listener),
    },
    abort: () => {
      if (aborted) return;
      aborted = true;
      for (const listener of [...listeners]) listener();
      listeners.clear();
    },
  };
};

/** Resolves as soon as the signal aborts; at once if it has. */
export const untilAborted = (signal: Signal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
