/** Of the declarations that TypeScript has written, those that an entry reaches. */
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

/** Deletes the others. Throws when one names a package that users may not have. */
export const keepReachable = async (folder, entries) => {
  const reached = new Set();
  const open = entries.map((entry) => path.join(folder, entry));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const from of importsOf(await readFile(file, 'utf8'))) {
      if (from.startsWith('.'))
        open.push(await declarationOf(path.resolve(path.dirname(file), from)));
      else if (!from.startsWith('node:'))
        throw new Error(`${path.relative(folder, file)} shows a type of ${from}`);
    }
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !reached.has(file)) await rm(file);
  }
};

const importsOf = (text) =>
  [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, from]) => from);

const declarationOf = async (stem) => {
  for (const file of [`${stem}.d.ts`, path.join(stem, 'index.d.ts')])
    if (
      await readFile(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  throw new Error(`no declaration of ${stem}`);
};
