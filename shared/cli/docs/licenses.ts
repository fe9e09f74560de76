/** Under which licence each package comes, as the lock file says: docs/licenses.md. */
import { table } from './markdown';

export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

/** As npm writes it (lockfileVersion 3): the root under an empty name. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface Licensed extends LockedPackage {
  readonly name: string;
  readonly license: string;
}

/** Every package of the lock but the root, each version once; what names no licence has `unknown`. */
export const licensed = ({ packages }: LockFile): readonly Licensed[] => {
  const found = new Map<string, Licensed>();
  for (const [place, locked] of Object.entries(packages)) {
    if (place === '') continue;
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const key = `${name}@${locked.version}`;
    // At run time, if it is that in one place.
    if (!found.has(key) || !locked.dev)
      found.set(key, { ...locked, name, license: locked.license ?? 'unknown' });
  }
  return [...found.values()].sort((a, b) => compare(a.name, b.name));
};

export const licencesPage = (lock: LockFile): string => {
  const all = licensed(lock);
  return `# Licences

<!-- Written by npm run docs -- --dependencies, from package-lock.json. -->

Of every package that the lock file names, for all platforms; this project itself is under the Apache License 2.0
([LICENSE](../LICENSE)).

## At run time

${tableOf(all.filter(({ dev }) => !dev))}

## To develop

None of these is in a bundle, an image or the library.

${tableOf(all.filter(({ dev }) => dev))}
`;
};

const tableOf = (packages: readonly Licensed[]): string => {
  const names = new Map<string, string[]>();
  for (const { license, name } of packages) {
    const others = names.get(license) ?? [];
    if (!others.includes(name)) names.set(license, [...others, name]);
  }
  const rows = [...names].sort(([a], [b]) => compare(a, b));
  return table(
    ['licence', 'packages', 'which'],
    rows.map(([license, which]) => [
      license,
      String(which.length),
      which.map((name) => `\`${name}\``).join(', '),
    ]),
  );
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
