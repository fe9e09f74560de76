/** For esbuild: a peer that is not installed is asked for by an error that says how to install it. */
import { PEERS } from './peers.cjs';

/** What is imported at once and used later: functions that load their package when they are called. */
const DEFERRED = {
  '@google-cloud/functions-framework': ['http'],
  '@google-cloud/functions-framework/testing': ['getTestServer'],
  'libphonenumber-js/max': ['isSupportedCountry', 'parsePhoneNumberFromString'],
};

const packageOf = (from) => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0];
const NAMESPACE = 'peer';

/** `ranges`: the versions that fit, by package. */
export const peers = (ranges) => ({
  name: 'peers',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[@\w]/ }, ({ path: from, namespace }) => {
      if (!Object.hasOwn(PEERS, packageOf(from))) return undefined;
      return namespace === NAMESPACE
        ? { path: from, external: true }
        : { path: from, namespace: NAMESPACE };
    });
    onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: from }) => {
      const name = packageOf(from);
      return {
        contents: moduleOf(from, message(name, ranges)),
        loader: 'js',
        resolveDir: import.meta.dirname,
      };
    });
    onLoad({ filter: /[\\/]shared[\\/]suite[\\/]installed\.ts$/ }, () => ({
      contents: checkOf(ranges),
      loader: 'js',
    }));
  },
});

const message = (name, ranges) =>
  `${name} is needed ${PEERS[name]}, and is not installed: npm install ${name}@${ranges[name]}`;

/** Told at start as well, where the settings ask for it. */
const checkOf = (ranges) => `const messages = ${JSON.stringify(
  Object.fromEntries(Object.keys(PEERS).map((name) => [name, message(name, ranges)])),
)};
export const missingPackage = (name) => {
  try {
    require.resolve(name);
    return undefined;
  } catch {
    return messages[name];
  }
};`;

const moduleOf = (from, complaint) => {
  const load = `const load = () => {
  try {
    return require(${JSON.stringify(from)});
  } catch (cause) {
    // Its own dependencies are its own affair.
    if (cause.code !== 'MODULE_NOT_FOUND' || !cause.message.includes(${JSON.stringify(`'${from}'`)})) throw cause;
    throw Object.assign(new Error(${JSON.stringify(complaint)}), { code: 'MODULE_NOT_FOUND' });
  }
};`;
  const deferred = DEFERRED[from];
  return deferred
    ? `${load}\n${deferred.map((name) => `export const ${name} = (...args) => load().${name}(...args);`).join('\n')}`
    : `${load}\nmodule.exports = load();`;
};
