/** Exports to Knative Eventing: the little that can be said, and why the rest cannot. */
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import type { ExportOptions } from '../../../shared/pipeline/export/export';
import { toKnative } from '../../../shared/pipeline/export/knative';
import type { Pipeline, Step } from '../../../shared/pipeline/pipeline';
import { pipeline, RETRY, step } from './export/pipelines';

const hook = (name: string, fields: Partial<Step> = {}): Step =>
  step(name, { target: { webhook: `${name.toUpperCase()}_URL`, secret: 'S' }, ...fields });

const OPTIONS = { unsigned: true, deadLetterSink: 'http://lost.example.com/' };

const documents = (of: Pipeline, options: ExportOptions = OPTIONS): unknown[] => {
  const result = toKnative(of, options);
  if ('refused' in result) throw new Error(JSON.stringify(result.refused));
  return parseAllDocuments(result.text).map((document) => document.toJS());
};

const refusals = (of: Pipeline, options: ExportOptions = OPTIONS): string[] => {
  const result = toKnative(of, options);
  return 'refused' in result ? result.refused.map(({ step, reason }) => `${step}: ${reason}`) : [];
};

test('webhooks side by side are the branches of a Parallel, each with its attempts, backoff and timeout', () => {
  const retry = { ...RETRY, attempts: 3, backoff: 250 };
  const of = pipeline([hook('a', { retry, timeout: 1_500 }), hook('b', { required: false })]);
  expect(documents(of)).toEqual([
    {
      apiVersion: 'flows.knative.dev/v1',
      kind: 'Parallel',
      metadata: {
        name: 'order',
        annotations: { 'faas-patterns/graph': of.hash, 'faas-patterns/unsigned': 'true' },
      },
      spec: {
        branches: [
          {
            subscriber: { uri: `\${A_URL}` },
            delivery: {
              retry: 2,
              backoffPolicy: 'exponential',
              backoffDelay: 'PT0.25S',
              timeout: 'PT1.5S',
              deadLetterSink: { uri: 'http://lost.example.com' },
            },
          },
          {
            subscriber: { uri: `\${B_URL}` },
            delivery: {
              retry: 4,
              backoffPolicy: 'exponential',
              backoffDelay: 'PT0.5S',
              timeout: 'PT10S',
              deadLetterSink: { uri: 'http://lost.example.com' },
            },
          },
        ],
      },
    },
  ]);
});

test('a pipeline that begins on an event has a Trigger for its type; a name does not end in a dash', () => {
  const [, trigger] = documents(pipeline([hook('a')], { name: 'orders-', on: 'order.placed' }));
  expect(trigger).toMatchObject({
    kind: 'Trigger',
    metadata: { name: 'orders' },
    spec: {
      broker: 'default',
      filter: { attributes: { type: 'order.placed' } },
      subscriber: { ref: { kind: 'Parallel', name: 'orders' } },
    },
  });
});

test('comments at its head say what is other than in a run of ours', () => {
  const result = toKnative(pipeline([hook('a')]), OPTIONS);
  if ('refused' in result) throw new Error('refused');
  const head = result.text.split('---')[0] ?? '';
  expect(head).toBe(result.notes.map((note) => `# ${note}\n`).join(''));
  for (const words of ['not signed', 'A_URL', 'The input is not checked', '404 is tried again'])
    expect(head).toContain(words);
});

describe('refused, with the step:', () => {
  const undo = { target: { function: 'b' }, timeout: 1_000, retry: RETRY };
  test.each<[string, readonly Step[], RegExp]>([
    ['a function', [step('x')], /bearer token/],
    ['an event', [step('x', { target: { event: 'done' } })], /another type/],
    ['a wait', [step('x', { target: { wait: 'approved' } })], /answer from outside/],
    ['an order', [hook('a'), hook('x', { after: ['a'] })], /Sequence/],
    ['a condition', [hook('x', { when: '/a' })], /filter does not see/],
    ['a body', [hook('x', { input: { a: '/a' } })], /no body/],
    ['a delay', [hook('x', { delay: 1 })], /before the first attempt/],
    ['a rate', [hook('x', { rate: 1 })], /rate of calls/],
    ['what takes it back', [hook('x', { undo })], /take back/],
    ['more time than the deadline', [hook('x', { timeout: 20_000_000 })], /deadline of 1d/],
  ])('%s', (_, steps, reason) => {
    expect(refusals(pipeline(steps))).toEqual([expect.stringMatching(reason)]);
    expect(refusals(pipeline(steps))[0]).toMatch(/^x: /);
  });

  test('a webhook that is to be signed', () => {
    const { unsigned: _, ...signed } = OPTIONS;
    expect(refusals(pipeline([hook('x')]), signed)).toEqual([
      expect.stringMatching(/^x: the format cannot sign/),
    ]);
  });

  test('a required step of which nobody would learn that it failed, but not an optional one', () => {
    const of = pipeline([hook('x'), hook('y', { required: false })]);
    expect(refusals(of, { unsigned: true })).toEqual([expect.stringMatching(/^x: .*dead letter/)]);
  });

  test('two steps with one receiver', () => {
    const target = { webhook: 'URL', secret: 'S' };
    const of = pipeline([step('x', { target }), step('y', { target })]);
    expect(refusals(of)).toEqual([
      expect.stringMatching(/^x: .*repeat/),
      expect.stringMatching(/^y: .*repeat/),
    ]);
  });
});

test('a dead letter sink that is no URL is refused', () => {
  expect(() => toKnative(pipeline([hook('a')]), { deadLetterSink: 'lost' })).toThrow(TypeError);
});
