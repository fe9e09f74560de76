// jest transform: esbuild strips the types (ts-jest cannot work with TypeScript 7); `tsc --noEmit` checks them.
const { createHash } = require('node:crypto');
const { transformSync, version } = require('esbuild');

const options = {
  loader: 'ts',
  format: 'cjs',
  target: 'node20',
  sourcemap: 'both',
  // jest has no import(): it becomes a require, just as late.
  supported: { 'dynamic-import': false },
};

module.exports = {
  canInstrument: false,
  getCacheKey: (source, file) =>
    createHash('sha256')
      .update(version)
      .update(JSON.stringify(options))
      .update(file)
      .update(source)
      .digest('hex'),
  process: (source, file) => {
    const { code, map } = transformSync(source, { ...options, sourcefile: file });
    return { code, map };
  },
};
