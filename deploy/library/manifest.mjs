/**
 * The package.json of the library, made of the repository's: the same entries, from what was built; only what every user
 * needs as a dependency; and nothing of how this repository is worked on.
 */
import { PEERS } from './peers.cjs';

/** What only this repository has a use for. */
const OWN = ['private', 'scripts', 'jest', 'devDependencies'];

/** Where the build puts what TypeScript says of an entry. */
export const typesOf = (source) => source.replace(/^\.\/(.*)\.ts$/, './dist/library/types/$1.d.ts');

/** Changes nothing that it is given. */
export const published = (manifest) => {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([key]) => !OWN.includes(key)));
  const dependencies = Object.entries(manifest.dependencies);
  const isPeer = ([name]) => Object.hasOwn(PEERS, name);
  const optional = Object.fromEntries(dependencies.filter(isPeer));
  return {
    ...kept,
    // By a path, as Cloud Functions does, the repository is its functions; by its name it is the library.
    main: kept.exports['.'].default,
    exports: Object.fromEntries(
      Object.entries(kept.exports).map(([entry, conditions]) => [
        entry,
        conditions.types ? { ...conditions, types: typesOf(conditions.types) } : conditions,
      ]),
    ),
    bin: { 'faas-patterns': 'dist/library/cli.cjs' },
    dependencies: Object.fromEntries(dependencies.filter((one) => !isPeer(one))),
    peerDependencies: { ...optional, ...manifest.peerDependencies },
    peerDependenciesMeta: {
      ...Object.fromEntries(Object.keys(optional).map((name) => [name, { optional: true }])),
      ...manifest.peerDependenciesMeta,
    },
  };
};
