/**
 * serverless.yml: every function on AWS Lambda by itself, with its own bundle, its own role and, where it takes events, its
 * own queue. Packed and deployed by osls, or by the Serverless Framework, in whose words it is written.
 *
 * Events come by way of a queue and not from EventBridge directly: that would try twice and drop them, while a queue keeps
 * what could not be taken, hands over many at once, tells which of them failed, and lays aside what fails again and again.
 */
import type { AnyFunction } from '../../define';
import { type Plain, toYaml } from '../../pipeline/export/yaml';
import type { Declarations } from '../declarations';
import { environmentOf, type Variable } from './environment';
import {
  functionName,
  logicalName,
  queuesOf,
  roleOf,
  takesEvents,
  variable,
} from './serverless-resources';

/** Seconds; API Gateway waits no longer than 30. */
const TIMEOUT = 29;

export const serverless = function* (facts: Declarations): Iterable<readonly [string, string]> {
  yield ['serverless.yml', COMMENT + toYaml(serverlessService(facts))];
};

const COMMENT = `# Every function on AWS Lambda. Written by npm run manifests from the declarations. Change those, not this file.
#
#   npm run build && npx osls package     what would be deployed, without an account
#   npx osls deploy --stage prod          deploys it
#
# Values come from the environment of whoever deploys; docs/configuration.md says what each is. STORE_URL is redis:// or
# rediss://, ENGINE_URL is restate+http(s)://: instances come and go, and share no disk. LAMBDA_FILES is a pattern of files
# to pack beside the bundles, such as those that settings name.
`;

/** As data, for whoever serves it on a machine of his own. */
export const serverlessService = ({
  functions,
}: Declarations): { readonly [name: string]: Plain } => ({
  service: 'faas-patterns',
  frameworkVersion: '4',
  configValidationMode: 'error',
  provider: {
    name: 'aws',
    runtime: 'nodejs22.x',
    architecture: 'arm64',
    region: variable("opt:region, env:AWS_REGION, 'us-east-1'"),
    stage: variable("opt:stage, 'dev'"),
    deploymentMethod: 'direct',
    memorySize: 512,
    timeout: TIMEOUT,
    logRetentionInDays: 30,
    httpApi: { payload: '2.0' },
  },
  // The patterns say all; nobody need find out what is for development.
  package: { individually: true, excludeDevDependencies: false },
  custom: {
    url: {
      'Fn::Sub': `https://${variable('HttpApi')}.execute-api.${variable('AWS::Region')}.${variable('AWS::URLSuffix')}`,
    },
  },
  functions: Object.fromEntries(functions.map((one) => [one.name, stanza(one)])),
  resources: {
    Resources: Object.assign(
      {},
      ...functions.map((declaration) => ({
        ...roleOf(declaration),
        ...(takesEvents(declaration) && queuesOf(declaration, TIMEOUT)),
      })),
    ),
  },
});

const stanza = (declaration: AnyFunction): Plain => {
  const { name, summary } = declaration;
  return {
    name: functionName(declaration),
    description: summary,
    handler: `dist/functions/${name}/lambda.handler`,
    role: `${logicalName(declaration)}Role`,
    package: { patterns: patternsOf(declaration) },
    environment: variablesOf(declaration),
    events: [
      // What is none of its routes it says itself, as everywhere.
      { httpApi: { method: '*', path: `/${name}` } },
      { httpApi: { method: '*', path: `/${name}/{proxy+}` } },
      ...(takesEvents(declaration) ? [queueEvent(declaration)] : []),
    ],
  };
};

/** A bundle holds all that it needs, but for the SDK of Restate, which is an optional peer, and files that are data. */
const patternsOf = ({ name, kind }: AnyFunction): readonly string[] => [
  '!**',
  // With the licences of what is in it.
  `dist/functions/${name}/lambda.cjs{,.LEGAL.txt}`,
  ...(kind === 'pipeline'
    ? ['pipelines/**', 'node_modules/@restatedev/restate-sdk*/**', '!**/*.{map,d.ts,d.cts,md}']
    : []),
  variable("env:LAMBDA_FILES, '!**/*.map'"),
];

const queueEvent = (declaration: AnyFunction): Plain => ({
  sqs: {
    arn: { 'Fn::GetAtt': [`${logicalName(declaration)}Queue`, 'Arn'] },
    batchSize: 10,
    functionResponseType: 'ReportBatchItemFailures',
  },
});

/** What the platform says by itself: the gateway counts as a proxy, and its address is known when it is deployed. */
const KNOWN: Readonly<Record<string, string>> = {
  TRUSTED_PROXY_HOPS: variable("env:TRUSTED_PROXY_HOPS, '1'"),
  PUBLIC_URL: variable('env:PUBLIC_URL, self:custom.url'),
  FUNCTIONS_URL: variable('env:FUNCTIONS_URL, self:custom.url'),
};

/** Whoever deploys tells Restate where it finds this; an instance does not. */
const UNUSED: ReadonlySet<string> = new Set(['RESTATE_SERVICE_URL']);

const variablesOf = (declaration: AnyFunction): Plain => ({
  NODE_ENV: variable("env:NODE_ENV, 'production'"),
  FUNCTION_TARGET: declaration.name,
  ...Object.fromEntries(
    environmentOf(declaration)
      .filter(({ name }) => !UNUSED.has(name))
      .map((one) => [one.name, KNOWN[one.name] ?? textOf(one)]),
  ),
});

/** Empty counts as unset. A default of a secret would be none. */
const textOf = ({ name, setting, required }: Variable): string => {
  if (required && setting.default === undefined) return variable(`env:${name}`);
  const value = setting.secret ? '' : String(setting.default ?? '');
  return variable(`env:${name}, '${value}'`);
};
