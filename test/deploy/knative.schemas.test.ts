/** The schemas of deploy/knative bite: each of these mistakes is one that Knative refuses, ignores or is harmed by. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { pointerTokens } from '../../shared/pointer';
import { type Kind, mistakesIn } from './knative-schemas';

const FOLDER = path.resolve(__dirname, '../../deploy/knative');
const STANDING = ['two-factor.yaml', 'eventing.yaml', 'kustomization.yaml'].flatMap((file) =>
  parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((document) =>
    document.toJS(),
  ),
);
const DELIVERY = { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT1S' };
const REF = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'two-factor' };
/** The kinds that the project's own pipelines do not need. */
const OTHERS = [
  {
    apiVersion: 'flows.knative.dev/v1',
    kind: 'Sequence',
    metadata: { name: 'orders' },
    spec: {
      steps: [
        { ref: REF, delivery: DELIVERY },
        { uri: 'http://a.example', delivery: DELIVERY },
      ],
      reply: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
    },
  },
  {
    apiVersion: 'flows.knative.dev/v1',
    kind: 'Parallel',
    metadata: { name: 'orders' },
    spec: { branches: [{ subscriber: { uri: 'http://a.example' }, delivery: DELIVERY }] },
  },
  {
    apiVersion: 'sources.knative.dev/v1',
    kind: 'SinkBinding',
    metadata: { name: 'orders' },
    spec: { subject: REF, sink: { ref: REF } },
  },
];

const goodOf = (kind: Kind): object =>
  JSON.parse(JSON.stringify([...STANDING, ...OTHERS].find((document) => document.kind === kind)));

const REMOVED = Symbol('removed');

/** The document with one member, by its JSON Pointer, changed, added or removed. */
const changed = (document: object, pointer: string, value: unknown): object => {
  const tokens = [...pointerTokens(pointer)];
  const last = tokens.pop() as string;
  // biome-ignore lint/suspicious/noExplicitAny: any document
  const holder = tokens.reduce<any>((at, token) => at[token], document);
  if (value === REMOVED) delete holder[last];
  else holder[last] = value;
  return document;
};

const TEMPLATE = '/spec/template';
const POD = `${TEMPLATE}/spec`;
const CONTAINER = `${POD}/containers/0`;
const SECURITY = `${CONTAINER}/securityContext`;

const MUTATIONS: readonly (readonly [why: string, kind: Kind, pointer: string, value: unknown])[] =
  [
    ['another version of the API', 'Service', '/apiVersion', 'serving.knative.dev/v1beta1'],
    ['a name that no host can have', 'Service', '/metadata/name', 'Two_Factor'],
    ['a name longer than a label', 'Service', '/metadata/name', 'a'.repeat(64)],
    ['a namespace of its own', 'Service', '/metadata/namespace', 'default'],
    [
      'the autoscaler where it is not read',
      'Service',
      '/metadata/annotations',
      { 'autoscaling.knative.dev/min-scale': '1' },
    ],
    [
      'an unknown visibility',
      'Service',
      '/metadata/labels/networking.knative.dev~1visibility',
      'private',
    ],
    [
      'a number where an annotation is a text',
      'Service',
      `${TEMPLATE}/metadata/annotations/autoscaling.knative.dev~1min-scale`,
      0,
    ],
    [
      'the old spelling of an annotation',
      'Service',
      `${TEMPLATE}/metadata/annotations/autoscaling.knative.dev~1minScale`,
      '0',
    ],
    [
      'an initial scale of zero',
      'Service',
      `${TEMPLATE}/metadata/annotations/autoscaling.knative.dev~1initial-scale`,
      '0',
    ],
    ['a timeout in words', 'Service', `${POD}/timeoutSeconds`, '60s'],
    ['a timeout over the limit of the cluster', 'Service', `${POD}/timeoutSeconds`, 3_600],
    ['a negative concurrency', 'Service', `${POD}/containerConcurrency`, -1],
    ['the concurrency inside of the container', 'Service', `${CONTAINER}/containerConcurrency`, 80],
    ['a security context of the pod', 'Service', `${POD}/securityContext`, { fsGroup: 1 }],
    ['a restart policy', 'Service', `${POD}/restartPolicy`, 'Always'],
    ['replicas, as a Deployment has', 'Service', '/spec/replicas', 2],
    ['a token of the cluster', 'Service', `${POD}/automountServiceAccountToken`, true],
    ['no containers', 'Service', `${POD}/containers`, []],
    ['no image', 'Service', `${CONTAINER}/image`, REMOVED],
    ['two ports', 'Service', `${CONTAINER}/ports/1`, { name: 'h2c', containerPort: 8081 }],
    ['a port on the host', 'Service', `${CONTAINER}/ports/0/hostPort`, 8080],
    ['a port name that means nothing', 'Service', `${CONTAINER}/ports/0/name`, 'http'],
    ['PORT, which Knative sets', 'Service', `${CONTAINER}/env/0`, { name: 'PORT', value: '8080' }],
    ['a value that is no text', 'Service', `${CONTAINER}/env/0/value`, true],
    [
      'a value beside a reference',
      'Service',
      `${CONTAINER}/env/0/valueFrom`,
      { secretKeyRef: { name: 'a', key: 'A' } },
    ],
    [
      'a field of the pod as value',
      'Service',
      `${CONTAINER}/env/0`,
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ],
    [
      'a reference without key',
      'Service',
      `${CONTAINER}/env/0`,
      { name: 'A', valueFrom: { secretKeyRef: { name: 'a' } } },
    ],
    [
      'one variable twice',
      'Service',
      `${CONTAINER}/env/0`,
      { name: 'FUNCTION_TARGET', value: 'a' },
    ],
    ['a threshold without a period', 'Service', `${CONTAINER}/readinessProbe/failureThreshold`, 3],
    ['a probe outside of its action', 'Service', `${CONTAINER}/livenessProbe/path`, '/health'],
    ['a path without a slash', 'Service', `${CONTAINER}/livenessProbe/httpGet/path`, 'health'],
    ['no probe of readiness', 'Service', `${CONTAINER}/readinessProbe`, REMOVED],
    ['memory in an unknown unit', 'Service', `${CONTAINER}/resources/limits/memory`, '256MB'],
    ['no limit of memory', 'Service', `${CONTAINER}/resources/limits`, REMOVED],
    ['root', 'Service', `${SECURITY}/runAsUser`, 0],
    ['a disk that can be written', 'Service', `${SECURITY}/readOnlyRootFilesystem`, false],
    ['a way to more rights', 'Service', `${SECURITY}/allowPrivilegeEscalation`, true],
    ['a capability', 'Service', `${SECURITY}/capabilities/add`, ['NET_ADMIN']],
    ['a capability that is left', 'Service', `${SECURITY}/capabilities/drop`, ['NET_RAW']],
    ['all system calls', 'Service', `${SECURITY}/seccompProfile/type`, 'Unconfined'],
    ['SELinux, which Knative refuses', 'Service', `${SECURITY}/seLinuxOptions`, {}],
    ['no dead letter sink', 'Broker', '/spec/delivery/deadLetterSink', REMOVED],
    ['a backoff policy that does not exist', 'Broker', '/spec/delivery/backoffPolicy', 'jittered'],
    ['a duration as ours', 'Broker', '/spec/delivery/backoffDelay', '500ms'],
    ['a duration of nothing', 'Broker', '/spec/delivery/backoffDelay', 'PT'],
    ['negative retries', 'Broker', '/spec/delivery/retry', -1],
    ['retries in words', 'Broker', '/spec/delivery/retry', '4'],
    ['an unknown field of delivery', 'Broker', '/spec/delivery/backOffPolicy', 'linear'],
    ['no broker', 'Trigger', '/spec/broker', REMOVED],
    ['no subscriber', 'Trigger', '/spec/subscriber', REMOVED],
    ['a subscriber by name alone', 'Trigger', '/spec/subscriber', { name: 'signup' }],
    ['two subscribers in one', 'Trigger', '/spec/subscriber/uri', 'http://a.example'],
    [
      'a filter of an attribute that no event can have',
      'Trigger',
      '/spec/filter/attributes/Event-Type',
      'a',
    ],
    ['the filter one level too high', 'Trigger', '/spec/filter/type', 'signup.request'],
    ['steps as texts', 'Sequence', '/spec/steps/0', 'two-factor'],
    ['no steps', 'Sequence', '/spec/steps', []],
    ['a step inside of a subscriber', 'Sequence', '/spec/steps/0', { subscriber: { ref: REF } }],
    ['no branches', 'Parallel', '/spec/branches', REMOVED],
    ['a branch without subscriber', 'Parallel', '/spec/branches/0/subscriber', REMOVED],
    [
      'a URL that is left to be filled in',
      'Parallel',
      '/spec/branches/0/subscriber/uri',
      `\${A_URL}`,
    ],
    ['a condition on a branch', 'Parallel', '/spec/branches/0/when', '/a'],
    ['a subject by label', 'SinkBinding', '/spec/subject', { selector: { matchLabels: {} } }],
    ['a resource twice', 'Kustomization', '/resources/0', 'eventing.yaml'],
    ['the fields of an older Kustomize', 'Kustomization', '/bases', ['../base']],
  ];

test('there are many mistakes, of every kind', () => {
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(30);
  expect(new Set(MUTATIONS.map(([, kind]) => kind)).size).toBe(7);
});

describe('refused:', () => {
  test.each(MUTATIONS)('%s (%s)', (_, kind, pointer, value) => {
    expect(mistakesIn(goodOf(kind))).toEqual([]);
    expect(mistakesIn(changed(goodOf(kind), pointer, value))).not.toEqual([]);
  });

  test.each([[undefined], [{}], [{ kind: 'Deployment' }], [null]])(
    '%j: no kind that is known',
    (it) => {
      expect(mistakesIn(it)).toHaveLength(1);
    },
  );
});
