/** The functions that a host is to serve, by name. Each is loaded when it is first asked for. */
import type { AnyFunction } from '../define';

export type Catalogue = Readonly<Record<string, () => Promise<{ readonly default: AnyFunction }>>>;

/** Of declarations that are loaded already. Throws a TypeError when two have the same name. */
export const catalogueOf = (...functions: readonly AnyFunction[]): Catalogue => {
  const names = functions.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`two functions are named ${JSON.stringify(twice)}`);
  return Object.fromEntries(
    functions.map((declaration) => [declaration.name, async () => ({ default: declaration })]),
  );
};
