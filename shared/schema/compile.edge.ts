/** At the edge nothing may make code of text: a schema that the build has not compiled cannot be used. */

export const compileNow = (): never => {
  throw new TypeError('a schema that is not known to the build cannot be used at the edge');
};
