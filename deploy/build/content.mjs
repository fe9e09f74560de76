/** What a bundle is made of, in bytes: our own text, and each package. */
import path from 'node:path';
import { root } from './bundle.mjs';

/** By the file of each bundle, relative to `folder`, as esbuild tells it. */
export const contentOf = ({ outputs }, folder) =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([file]) => file.endsWith('js'))
      .map(([file, { bytes, inputs }]) => {
        const packages = {};
        let others = 0;
        for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
          const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
          if (name === undefined) continue;
          packages[name] = (packages[name] ?? 0) + bytesInOutput;
          others += bytesInOutput;
        }
        const name = path.relative(folder, path.join(root, file)).replaceAll('\\', '/');
        return [name, { bytes, own: bytes - others, packages: sorted(packages) }];
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const sorted = (packages) =>
  Object.fromEntries(Object.entries(packages).sort(([, a], [, b]) => b - a));
