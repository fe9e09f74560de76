// jest transform for what is imported `with { type: 'text' }`; in bundles esbuild does it.
module.exports = {
  process: (source) => ({
    code: `Object.defineProperty(exports, '__esModule', { value: true });\nexports.default = ${JSON.stringify(source)};`,
  }),
};
