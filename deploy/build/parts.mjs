/**
 * Which parts of packages go into a bundle: of some only a small one is ever used, and what else they load would be half of
 * a start. What is left out is an object without members, so that whoever comes to use it hears of it at once.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Of files in a package, what each loads and uses; the rest it loads for others. */
const USED = {
  // Its client, without TwiML, tokens and webhooks.
  'twilio/lib/index.js': ['./rest/Twilio', './base/RequestClient', './base/RestException'],
  'twilio/lib/base/RequestClient.js': [
    'axios',
    'fs',
    'https-proxy-agent',
    'qs',
    'https',
    '../http/response',
    '../http/request',
  ],
  // Of its products the API, of the API an account's messages.
  'twilio/lib/rest/Twilio.js': ['../base/BaseTwilio', './Api'],
  'twilio/lib/rest/api/v2010/account.js': [
    'util',
    '../../../base/Page',
    '../../../base/deserialize',
    '../../../base/serialize',
    '../../../base/utility',
    './account/message',
  ],
  'twilio/lib/rest/api/v2010/account/message.js': [
    'util',
    '../../../../base/Page',
    '../../../../base/deserialize',
    '../../../../base/serialize',
    '../../../../base/utility',
  ],
};

const FILES = new RegExp(
  `node_modules[\\\\/](${Object.keys(USED)
    .map((file) => file.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]'))
    .join('|')})$`,
);

export const neededParts = {
  name: 'needed-parts',
  setup: ({ onResolve, onLoad }) => {
    onLoad({ filter: FILES }, async ({ path: file }) => {
      const used = USED[FILES.exec(file)[1].replaceAll('\\', '/')];
      const text = await readFile(file, 'utf8');
      return {
        contents: text.replace(/\brequire\("([^"]+)"\)/g, (all, asked) =>
          used.includes(asked) ? all : '({})',
        ),
      };
    });
    // As axios has it in a browser, where there is one already.
    onResolve({ filter: /^form-data$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = null;' }));
  },
};

/** As require() finds them, whoever asks, so that there is one of each. */
export const asRequired = (names) => ({
  name: 'as-required',
  setup: ({ onResolve }) => {
    const filter = new RegExp(`^(?:${names.join('|')})(?:/|$)`);
    onResolve({ filter }, ({ path: asked, kind, pluginData }) =>
      kind === 'require-call' || pluginData ? undefined : { path: require.resolve(asked) },
    );
  },
});

/** What a function does not come to, by what it does not need: modules of `shared`, and packages. */
const REACHED_WITH = {
  mail: ['nodemailer'],
  sms: ['twilio'],
  engine: ['../suite/engine', './engine'],
  pipelines: ['../pipeline/function', '../pipeline/load-directory'],
  others: ['../pages/index-page'],
};

/** `needs` are those of the declaration; `pipelines`: it is one; `others`: others are served beside. */
export const reachedParts = (needs) => {
  const unreached = Object.entries(REACHED_WITH)
    .filter(([need]) => !needs.includes(need))
    .flatMap(([, modules]) => modules);
  return {
    name: 'reached-parts',
    setup: ({ onResolve, onLoad }) => {
      const filter = new RegExp(`^(?:${unreached.join('|').replaceAll('.', '\\.')})$`);
      onResolve({ filter }, ({ path: asked, kind }) =>
        kind === 'dynamic-import' ? { path: asked, namespace: 'unreached' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'unreached' }, ({ path: name }) => ({
        contents: `throw new Error(${JSON.stringify(`${name} is not in this bundle`)});`,
      }));
    },
  };
};
