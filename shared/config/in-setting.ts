/** A mistake with the name of the setting that holds it. */
export const inSetting = <T>(setting: string, make: () => T): T => {
  try {
    return make();
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    throw new TypeError(`${setting}: ${thrown.message}`, { cause: thrown });
  }
};
