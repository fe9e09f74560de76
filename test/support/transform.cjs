// jest transform: esbuild strips the types (ts-jest cannot work with TypeScript 7); `tsc --noEmit` checks them.
const { createHash } = require('node:crypto');
const { transformSync, version } = require('esbuild');

module.exports = {
  canInstrument: false,
  getCacheKey: (source, file) =>
    createHash('sha256').update(version).update(file).update(source).digest('hex'),
  process: (source, file) => {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcefile: file,
      sourcemap: 'both',
    });
    return { code, map };
  },
};
