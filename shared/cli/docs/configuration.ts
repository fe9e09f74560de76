/** docs/configuration.md: every variable, route and example, from the declarations. */
import type { Setting } from '../../config';
import type { AnyFunction, Need } from '../../define';
import { MAX_BODY } from '../../http/body';
import { describeFunction, type FunctionDescription } from '../../suite/describe';
import { SUITE_SETTINGS, type SuiteConfig } from '../../suite/environment';
import { missingSettings } from '../../suite/requirements';
import { code, table } from './markdown';

const HEAD = `<!-- Written by npm run docs from the declarations. Change those, not this page. -->

# Configuration

Everything is set by environment variables. In development all of it has a default, so that nothing need be set; with
\`NODE_ENV=production\` what a served function needs must be there. What is wrong or missing is told in one message
before anything listens, with exit code 2. \`npx faas-patterns functions --json\` says the same as this page, for machines.

A duration is a number and a unit (\`500ms\`, \`10s\`, \`2d\`); a list is separated by commas; an empty variable counts as
unset. The value of a secret is never shown or logged.

## The suite
`;

export const configurationPage = (functions: readonly AnyFunction[]): string =>
  [
    HEAD,
    suiteTable(functions),
    '',
    'Callers: `public` is everyone; `backend` is our own pipeline steps, which are signed, and bearers of one of',
    '`CALLER_TOKENS`; `admin` is bearers of one of `ADMIN_TOKENS`. Development listens on this machine only and is open.',
    ...functions.map(section),
    '',
  ].join('\n');

const suiteTable = (functions: readonly AnyFunction[]): string =>
  table(
    ['variable', 'value', 'default', 'production needs it for', 'meaning'],
    Object.entries<Setting>(SUITE_SETTINGS).map(([name, setting]) => [
      code(name),
      kindOfValue(setting),
      defaultOf(setting),
      functions
        .filter((one) => needs(one, name))
        .map(({ name }) => code(name))
        .join(', '),
      setting.description,
    ]),
  );

const needs = ({ needs = [] }: AnyFunction, name: string): boolean =>
  missingSettings(new Set(needs as readonly Need[]), {} as SuiteConfig, true).some(
    (mistake) => mistake.name === name,
  );

const section = (declaration: AnyFunction): string => {
  const description = describeFunction(declaration);
  const { name, summary, config, routes } = description;
  const settings = Object.entries(config.properties);
  const examples = routes.flatMap(({ curl }) => curl ?? []);
  return [
    '',
    `## ${name}`,
    '',
    summary,
    '',
    traits(declaration, description),
    ...(settings.length > 0 ? ['', settingsTable(settings)] : []),
    '',
    table(
      ['route', 'callers', 'what it does'],
      routes.map(({ method, path, callers, summary }) => [
        code(`${method === '*' ? 'any' : method} ${path}`),
        callers,
        summary,
      ]),
    ),
    ...(examples.length > 0 ? ['', '```sh', ...examples, '```'] : []),
  ].join('\n');
};

const traits = ({ body }: AnyFunction, { kind, runsAt, callers, calls }: FunctionDescription) => {
  const json = `JSON, at most ${MAX_BODY / 1024 ** 2} MiB`;
  return [
    `Kind: ${kind}`,
    `callers: ${callers}`,
    `runs at: ${runsAt.join(', ')}`,
    `body: ${body.mode === 'json' ? json : 'anything, streamed'}`,
    ...(calls.length > 0 ? [`calls: ${calls.map(code).join(', ')}`] : []),
  ].join(' · ');
};

const settingsTable = (settings: readonly (readonly [string, Setting])[]): string =>
  table(
    ['variable', 'value', 'default', 'required', 'meaning'],
    settings.map(([name, setting]) => [
      code(name),
      kindOfValue(setting),
      defaultOf(setting),
      setting.required === 'production' ? 'in production' : (setting.required ?? ''),
      setting.description + (setting.example ? ` Example: ${code(setting.example)}` : ''),
    ]),
  );

const kindOfValue = ({ type, format, secret, minimum, maximum, enum: values }: Setting): string => {
  const plain = type === 'string' ? (secret ? '' : 'text') : type;
  const parts = [
    secret ? 'secret' : '',
    values?.map(code).join(', ') ?? format?.replace('uri', 'URL') ?? plain,
    minimum === undefined ? '' : `from ${minimum}`,
    maximum === undefined ? '' : `to ${maximum}`,
  ];
  return parts.filter(Boolean).join(' ');
};

const defaultOf = ({ default: value }: Setting): string =>
  value === undefined ? '' : code(String(value));
