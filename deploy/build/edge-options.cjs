/** For esbuild: what every bundle for the edge has in common. A module of the web: no Node, nothing left to import. */
exports.edgeOptions = {
  bundle: true,
  format: 'esm',
  // Knows no module of Node, so that one that slips in fails the build.
  platform: 'neutral',
  target: 'es2022',
  conditions: ['workerd', 'worker'],
  mainFields: ['module', 'main'],
  // `x.edge.ts` stands in for `x.ts` where there is one.
  resolveExtensions: ['.edge.ts', '.ts', '.mjs', '.js', '.json'],
  loader: { '.css': 'text' },
  logLevel: 'warning',
};
