/** Waiting that has an end. Real time, for it is about real peers. */

/** The same promise for so many ms, then an error, told to `onLate` as well. */
export const bounded = <T>(promise: Promise<T>, ms: number, onLate?: () => void): Promise<T> =>
  new Promise((resolve, reject) => {
    let isOver = false;
    const late = (): void => {
      if (isOver) return;
      reject(new Error('no answer in time'));
      onLate?.();
    };
    // One more turn: while this process was busy the answer may have come.
    const timer = setTimeout(() => setImmediate(late), ms);
    const over = (): void => {
      isOver = true;
      clearTimeout(timer);
    };
    promise.then(over, over);
    promise.then(resolve, reject);
  });
