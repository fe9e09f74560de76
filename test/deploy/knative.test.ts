/** The files of deploy/knative: what Knative would take, what it would not, and that a function starts with what they set. */
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { catalogue } from '../../functions';
import { type Declarations, readDeclarations } from '../../shared/cli/declarations';
import { knative } from '../../shared/cli/manifests/knative';
import { systemClock } from '../../shared/clock';
import { type AnyFunction, defineFunction } from '../../shared/define';
import { deriveKeys } from '../../shared/keys';
import { createLog } from '../../shared/log';
import { pipelineFunction } from '../../shared/pipeline/function';
import { type Pipeline, STEP_DEFAULTS } from '../../shared/pipeline/pipeline';
import { systemRandom } from '../../shared/random';
import { destinationOf } from '../../shared/suite/engine';
import { createSuite } from '../../shared/suite/suite';
import { pipeline, step } from '../shared/pipeline/export/pipelines';
import { mistakesIn } from './knative-schemas';

const ROOT = path.resolve(__dirname, '../..');

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Readonly<
    Record<string, { readonly key: string; readonly optional?: boolean }>
  >;
}
interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: of any kind
  readonly spec: any;
}

const documentsOf = (text: string): Document[] =>
  parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });

let facts: Declarations;
let files: ReadonlyMap<string, string>;
let all: readonly Document[];

beforeAll(async () => {
  facts = await readDeclarations(catalogue, ROOT);
  files = new Map(knative(facts));
  all = [...files.values()].flatMap(documentsOf);
});

const service = (name: string): Document =>
  all.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name) as Document;
const variablesOf = ({ spec }: Document): readonly Variable[] =>
  spec.template.spec.containers[0].env;
/** Of declarations that the project does not have. */
const documentsFor = (functions: readonly AnyFunction[], pipelines: readonly Pipeline[] = []) =>
  [...knative({ functions, pipelines })].flatMap(([, text]) => documentsOf(text));

describe('every document', () => {
  test('is one that Knative or Kustomize takes, with no field that they do not know', () => {
    for (const document of all)
      expect({ of: document.metadata?.name, mistakes: mistakesIn(document) }).toEqual({
        of: document.metadata?.name,
        mistakes: [],
      });
    expect(new Set(all.map(({ kind }) => kind))).toEqual(
      new Set(['Service', 'Broker', 'Trigger', 'Kustomization']),
    );
  });

  test('reads as the same in YAML 1.1 as in YAML 1.2', () => {
    for (const text of files.values())
      expect(
        parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS()),
      ).toEqual(documentsOf(text));
  });
});

describe('a Service', () => {
  test('is there for every function and every pipeline, and says which it serves', () => {
    for (const { name } of facts.functions)
      expect(variablesOf(service(name))).toEqual(
        expect.arrayContaining([
          { name: 'FUNCTION_TARGET', value: name },
          { name: 'NODE_ENV', value: 'production' },
        ]),
      );
    expect(facts.functions.map(({ name }) => name)).toContain('signup');
  });

  test('has an address outside only where somebody outside may call', () => {
    const inside = ({ metadata: { labels } }: Document) =>
      labels?.['networking.knative.dev/visibility'];
    expect(inside(service('create-user'))).toBe('cluster-local');
    // Twilio reports to it.
    expect(inside(service('two-factor'))).toBeUndefined();
    expect(inside(service('signup'))).toBeUndefined();
  });

  test('takes secrets from a Secret and from nowhere else', () => {
    for (const { name, config } of facts.functions)
      for (const { name: variable, value, valueFrom } of variablesOf(service(name))) {
        const secret =
          config[variable]?.secret ?? /KEY$|_SECRET$|_TOKENS?$|^STORE|^SMTP/.test(variable);
        if (secret)
          expect({ variable, value, valueFrom }).toMatchObject({ valueFrom: { secretKeyRef: {} } });
      }
  });

  test('of what keeps state says which stores it can be', () => {
    const says = (name: string) =>
      files.get(`deploy/knative/${name}.yaml`)?.includes('must be redis://');
    expect(facts.functions.map(({ name }) => name).filter(says)).toEqual([
      'create-user',
      'email-user',
      'shard-owner',
      'shard-router',
      'subscribe-user',
      'two-factor',
    ]);
  });
});

describe('with the variables of its Service and no others', () => {
  const VALUES: Readonly<Record<string, string>> = {
    ADD_DEFAULTS_TARGET: 'https://api.example.com',
    ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
    SHARD_ROUTER_CONFIG: JSON.stringify({
      key: { header: 'user' },
      mode: 'jump',
      shards: [{ name: 'a', address: '127.0.0.1:9001' }],
    }),
    SHARD_OWNER_NAME: 'a',
    SHARD_OWNER_TARGET: 'http://127.0.0.1:9000',
    STORE_URL: 'redis://127.0.0.1:6379',
    // Restate's SDK is in the image, not here.
    ENGINE_URL: `local:${path.join(os.tmpdir(), 'never-opened.db')}`,
    SECRET_KEY: 'k'.repeat(32),
    SMTP_URL: 'smtps://mail.example.com',
    MAIL_FROM: 'hello@example.com',
    PUBLIC_URL: 'https://example.com',
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_FROM: '+12025550123',
    FUNCTIONS_URL: 'http://{function}.faas.svc.cluster.local',
  };
  const sampleOf = (name: string) =>
    VALUES[name === 'SHARD_OWNER_CONFIG' ? 'SHARD_ROUTER_CONFIG' : name];
  const environmentOf = (name: string) =>
    Object.fromEntries(
      variablesOf(service(name)).flatMap(({ name: variable, value, valueFrom = {} }) => {
        const [ref] = Object.values(valueFrom);
        return ref?.optional ? [] : [[variable, value ?? sampleOf(variable)]];
      }),
    );
  const start = (environment: Readonly<Record<string, string | undefined>>) =>
    createSuite({
      catalogue,
      environment: { PIPELINES_DIR: path.join(ROOT, 'pipelines'), ...environment },
      folder: os.tmpdir(),
      ownUrl: () => 'http://localhost:8080',
      log: createLog({ now: () => 0, write: () => {} }),
      clock: systemClock,
      random: systemRandom,
    });

  test('each function can start in production, and lacks each one that is not optional', async () => {
    let refs = 0;
    for (const { name } of facts.functions) {
      const environment = environmentOf(name);
      const { production, close } = await start(environment);
      expect(production).toBe(true);
      await close();
      for (const { name: variable, value } of variablesOf(service(name))) {
        if (value !== undefined || !(variable in environment)) continue;
        refs += 1;
        await expect(start({ ...environment, [variable]: undefined })).rejects.toThrow(
          new RegExp(`${variable} +is required`),
        );
      }
    }
    expect(refs).toBeGreaterThan(20);
  });

  test('a pipeline calls each function at the host of its own Service', () => {
    const destination = destinationOf({
      environment: {},
      keys: deriveKeys(sampleOf('SECRET_KEY') as string),
      functionsUrl: () => sampleOf('FUNCTIONS_URL') as string,
      subscribers: () => [],
    });
    expect(destination({ function: 'create-user' })?.addresses.map(({ url }) => url)).toEqual([
      'http://create-user.faas.svc.cluster.local/create-user',
    ]);
  });
});

describe('events', () => {
  const taker = (name: string, fields: Partial<AnyFunction>): AnyFunction =>
    defineFunction({
      name,
      kind: 'event',
      summary: 'Takes events.',
      runsAt: ['node'],
      callers: 'public',
      body: { mode: 'json' },
      config: {},
      routes: { 'POST /': { summary: 'Takes one.' } },
      create: () => ({ 'POST /': () => new Response() }),
      ...fields,
    } as AnyFunction);
  const triggersOf = (functions: readonly AnyFunction[]) =>
    documentsFor(functions).filter(({ kind }) => kind === 'Trigger');

  test('of its types come to a function by a Trigger each, again after growing waits, and are lost nowhere', () => {
    const found = triggersOf([taker('ship', { on: ['order.paid', 'order.gift'] })]);
    expect(found.map(({ metadata, spec }) => [metadata.name, spec.filter.attributes.type])).toEqual(
      [
        ['ship', 'order.paid'],
        ['ship-2', 'order.gift'],
      ],
    );
    for (const trigger of found) {
      expect(mistakesIn(trigger)).toEqual([]);
      expect(trigger.spec).toMatchObject({
        broker: 'default',
        subscriber: { ref: { kind: 'Service', name: 'ship' } },
        delivery: {
          retry: STEP_DEFAULTS.retry.attempts - 1,
          backoffPolicy: 'exponential',
          backoffDelay: 'PT0.5S',
          deadLetterSink: { ref: { kind: 'Service', name: 'dead-letters' } },
        },
      });
    }
  });

  test('do not come to who would ask the Broker for a token; the file says so', () => {
    const closed = taker('ship', { on: ['order.paid'], callers: 'backend' });
    expect(triggersOf([closed])).toEqual([]);
    const text = new Map(knative({ functions: [closed], pipelines: [] })).get(
      'deploy/knative/eventing.yaml',
    );
    expect(text).toContain('No Trigger for ship: its callers are not public');
    // Its function may have one open route: the one that counts.
    const routes = { 'POST /': { summary: 'Takes one.', callers: 'public' as const } };
    expect(triggersOf([{ ...closed, routes }])).toHaveLength(1);
  });

  test('that a function sends go to the Broker: a SinkBinding sets K_SINK', () => {
    const documents = documentsFor([taker('ship', { emits: ['order.sent'] })]);
    const binding = documents.find(({ kind }) => kind === 'SinkBinding');
    expect(binding?.spec).toEqual({
      subject: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'ship' },
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
    });
  });
});

describe('a pipeline that Knative can carry alone', () => {
  const hooks = pipeline([step('a', { target: { webhook: 'A_URL', secret: 'S' } })], {
    name: 'orders-',
    on: 'order.placed',
    callers: 'public',
  });
  const documents = () => documentsFor([pipelineFunction(hooks)], [hooks]);

  test('is beside its Service as a flow, with attempts, waits and a dead letter sink', () => {
    const flow = documentsOf(
      new Map(knative({ functions: [], pipelines: [hooks] })).get(
        'deploy/knative/flows/orders.yaml',
      ) as string,
    );
    expect(flow.map(({ kind }) => kind)).toEqual(['Parallel', 'Trigger']);
    const [parallel, trigger] = flow;
    expect(mistakesIn(trigger)).toEqual([]);
    const filled = JSON.parse(
      JSON.stringify(parallel).replaceAll(`\${A_URL}`, 'https://a.example'),
    );
    expect(mistakesIn(filled)).toEqual([]);
    expect(filled.spec.branches).toEqual([
      {
        subscriber: { uri: 'https://a.example' },
        delivery: {
          retry: 4,
          backoffPolicy: 'exponential',
          backoffDelay: 'PT0.5S',
          timeout: 'PT10S',
          deadLetterSink: { uri: 'http://dead-letters.default.svc.cluster.local' },
        },
      },
    ]);
  });

  test('is not put together with it: both would do everything twice', () => {
    const kustomization = documents().find(({ kind }) => kind === 'Kustomization') as unknown as {
      readonly resources: readonly string[];
    };
    expect(kustomization.resources).toEqual(['orders.yaml', 'eventing.yaml']);
  });

  test('has the same name everywhere, which may not end in a dash', () => {
    const service = documents().find(({ kind }) => kind === 'Service') as Document;
    expect(service.metadata.name).toBe('orders');
    expect(variablesOf(service)).toContainEqual({ name: 'FUNCTION_TARGET', value: 'orders-' });
  });
});
