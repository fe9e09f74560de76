/** Questions to one source, never two at a time: answers come in the order of the questions. */

export interface Looks {
  /** One that begins from now on, together with all who ask for one meanwhile. */
  fresh(): Promise<void>;
  /** The one under way, or else a new one. */
  any(): Promise<void>;
  readonly isUnderWay: boolean;
}

/** `look` must not reject. */
export const createLooks = (look: () => Promise<void>): Looks => {
  let underWay: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const any = (): Promise<void> => {
    underWay ??= look().then(() => {
      underWay = undefined;
    });
    return underWay;
  };
  const fresh = (): Promise<void> => {
    if (!underWay) return any();
    next ??= underWay.then(() => {
      next = undefined;
      // Also one that somebody has begun just now is later than the question.
      return any();
    });
    return next;
  };
  return {
    fresh,
    any,
    get isUnderWay() {
      return underWay !== undefined;
    },
  };
};
