/**
 * How a worker is run: for workerd itself, and for Cloudflare's wrangler. Written beside each worker by the build, from the
 * declaration of its function.
 */

/** Before Node's names are there unless one asks for them: these workers need none. */
const COMPATIBILITY_DATE = '2026-04-01';
/** Tells of clients that have left, where the platform can. */
const COMPATIBILITY_FLAGS = ['enable_request_signal'];

/** Every variable that means something to the worker: name and declaration. */
const settingsOf = ({ config }, shared) => [
  [
    'NODE_ENV',
    {
      description: 'development opens what is closed in production; without it this is production.',
    },
  ],
  ...Object.entries(shared),
  ...Object.entries(config),
];

const quote = (text) => JSON.stringify(text);

/** For `workerd serve NAME.capnp`: the variables come from its own environment. */
export const workerdConfig = (declaration, shared) => {
  const { name, summary } = declaration;
  const bindings = settingsOf(declaration, shared).map(
    ([variable]) => `    (name = ${quote(variable)}, fromEnvironment = ${quote(variable)}),`,
  );
  return `# ${name}: ${summary}
#
#   workerd serve ${name}.capnp
#
# A server that is not to be reached over the network is a service, with a binding of its own:
#   services: (name = "shard-a", external = (address = "10.0.0.7:8080", http = ()))
#   bindings: (name = "SHARD_A", service = "shard-a")
# and EDGE_BINDINGS says for which origin it stands: http://10.0.0.7:8080=SHARD_A

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = ${quote(name)}, worker = .worker),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "*:8080", http = (), service = ${quote(name)})],
);

const worker :Workerd.Worker = (
  modules = [(name = "${name}.mjs", esModule = embed "${name}.mjs")],
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  compatibilityFlags = [${COMPATIBILITY_FLAGS.map(quote).join(', ')}],
  bindings = [
${bindings.join('\n')}
  ],
);
`;
};

/** For `wrangler deploy --config NAME.wrangler.jsonc`, to be copied and filled in. */
export const wranglerConfig = (declaration, shared) => {
  const { name, summary } = declaration;
  const settings = settingsOf(declaration, shared);
  const lines = settings
    .filter(([, { secret }]) => !secret)
    .map(([variable, { description, example }]) => {
      const value = example === undefined ? '' : String(example);
      return `    // ${description}\n    // ${quote(variable)}: ${quote(value)},`;
    });
  const secrets = settings.filter(([, { secret }]) => secret).map(([variable]) => variable);
  return `// ${name}: ${summary}
{
  "name": ${quote(name)},
  "main": ${quote(`${name}.mjs`)},
  // It is bundled already.
  "no_bundle": true,
  "compatibility_date": ${quote(COMPATIBILITY_DATE)},
  "compatibility_flags": ${JSON.stringify(COMPATIBILITY_FLAGS)},
  // Secrets are set by \`wrangler secret put NAME\`: ${secrets.join(', ')}.
  "vars": {
${lines.join('\n')}
  },
  // Servers that are workers, too, or private: EDGE_BINDINGS says for which origin each stands.
  "services": [
    // { "binding": "SHARD_A", "service": "shard-a" }
  ],
  "observability": { "enabled": true }
}
`;
};
