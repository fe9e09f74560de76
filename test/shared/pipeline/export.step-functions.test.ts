/** Exports to the Amazon States Language: valid for a validator that is not ours, and carried out as the pipeline says. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toStepFunctions } from '../../../shared/pipeline/export/step-functions';
import type { Pipeline } from '../../../shared/pipeline/pipeline';
import { PEERS_TIMEOUT, providePeers } from '../../support/peers';
import { anyPipeline, input, pipeline, RETRY, script, signup, step } from './export/pipelines';
import { runStates, type StatesEngine } from './export/states-engine';
import { check, World } from './export/world';

type Validate = (definition: unknown) => { isValid: boolean; errorsText(): string };

const OPTIONS = { functionsUrl: 'https://faas.example.com/base/', unsigned: true };

let validate: Validate;
let jsonata: StatesEngine['jsonata'];

beforeAll(async () => {
  const load = await providePeers('export');
  validate = load('asl-validator');
  jsonata = load('jsonata');
}, PEERS_TIMEOUT);

const exported = (of: Pipeline, options = OPTIONS): string => {
  const result = toStepFunctions(of, options);
  if ('refused' in result) throw new Error(JSON.stringify(result.refused));
  return result.text;
};

const refusals = (of: Pipeline, options: Parameters<typeof toStepFunctions>[1] = OPTIONS) => {
  const result = toStepFunctions(of, options);
  return 'refused' in result ? result.refused.map(({ step, reason }) => `${step}: ${reason}`) : [];
};

const expectValid = (text: string): void => {
  const { isValid, errorsText } = validate(JSON.parse(text));
  expect(isValid ? '' : errorsText()).toBe('');
};

const any = anyPipeline({ targets: ['function', 'webhook', 'event'] });

test('any pipeline of calls is valid, and is carried out in order, as often, with the bodies and keys that it says', async () => {
  await fc.assert(
    fc.asyncProperty(any, input, script, async (of, given, reactions) => {
      const text = exported(of);
      expectValid(text);
      const world = new World(reactions);
      const { failed } = await runStates(JSON.parse(text), { jsonata, world, input: given });
      check({
        pipeline: of,
        input: given,
        world,
        outcome: failed ? 'failed' : 'succeeded',
        urlOf: ({ target }) =>
          'function' in target
            ? `https://faas.example.com/base/${target.function}`
            : `\${${'webhook' in target ? target.webhook : 'K_SINK'}}`,
      });
    }),
    { numRuns: 120 },
  );
}, 120_000);

test('the signup of the suite is valid', () => {
  expectValid(exported(signup()));
});

test('a pipeline of 100 steps in a row is valid', () => {
  const steps = Array.from({ length: 100 }, (_, n) =>
    step(`s${n}`, { after: n === 0 ? [] : [`s${n - 1}`] }),
  );
  expectValid(exported(pipeline(steps)));
});

test('the cause of a failed execution names the steps that failed', async () => {
  const of = pipeline([step('step-0'), step('step-1', { required: false }), step('step-2')]);
  const world = new World([404, 404, 410].map((status) => [{ status, ms: 1 }]));
  const { failed } = await runStates(JSON.parse(exported(of)), { jsonata, world, input: {} });
  expect(failed?.cause).toBe('A required step has failed: step-0, step-2');
});

test('nothing of a pipeline is taken for a place to fill in', () => {
  const name = `\${NAME}`;
  const of = pipeline([
    step('a', {
      target: { webhook: 'HOOK', secret: 'S' },
      when: { pointer: `/${name}`, equals: name },
      input: { [name]: '/x' },
    }),
    step('b', { target: { event: name } }),
  ]);
  expect(new Set([...exported(of).matchAll(/\$\{([^}]*)\}/g)].map(([, found]) => found))).toEqual(
    new Set(['HOOK', 'HOOK_CONNECTION_ARN', 'K_SINK', 'K_SINK_CONNECTION_ARN']),
  );
});

test('the comment says how it is deployed, that it is unsigned, and what is stricter or missing', () => {
  const of = pipeline([
    step('a'),
    step('b', { target: { webhook: 'HOOK', secret: 'S' } }),
    step('c', { after: ['a'] }),
  ]);
  const { Comment } = JSON.parse(exported(of));
  for (const words of [
    of.hash,
    'unsigned',
    '<name>:<step>',
    'CALLER_CONNECTION_ARN',
    'HOOK takes calls by https',
    'stage by stage',
    'rounded up to whole seconds',
    'not jittered',
    'The input is not checked',
  ])
    expect(Comment).toContain(words);
});

test('an order that is not stricter than written is not called so', () => {
  const of = pipeline([step('a'), step('b', { after: ['a'] }), step('c', { after: ['a'] })]);
  expect(JSON.parse(exported(of)).Comment).not.toContain('stage by stage');
});

describe('refused, all at once and each with its step:', () => {
  test('what the format does not have', () => {
    const undo = { target: { function: 'b' }, timeout: 1_000, retry: RETRY };
    const of = pipeline([
      step('wait', { target: { wait: 'approved' }, timeout: 1_000 }),
      step('rate', { rate: 5, undo }),
      step('long', { timeout: 61_000 }),
      step('half', { timeout: 1_500 }),
      step('fine'),
    ]);
    expect(refusals(of)).toEqual([
      expect.stringMatching(/^wait: .*task token/),
      expect.stringMatching(/^rate: .*rate of calls/),
      expect.stringMatching(/^rate: .*take back/),
      expect.stringMatching(/^long: .*at most 60 seconds/),
      expect.stringMatching(/^half: .*whole seconds/),
    ]);
  });

  test('a webhook, unless it may go out unsigned', () => {
    const of = pipeline([step('a'), step('b', { target: { webhook: 'HOOK', secret: 'S' } })]);
    const { unsigned: _, ...signed } = OPTIONS;
    expect(refusals(of, signed)).toEqual([expect.stringMatching(/^b: the format cannot sign/)]);
    expect(refusals(of)).toEqual([]);
  });

  test('a function that has no address', () => {
    expect(refusals(pipeline([step('a')]), { unsigned: true })).toEqual([
      expect.stringMatching(/^a: .*--functions-url/),
    ]);
  });

  test('an optional step that can still be at work at the deadline, but not a required one', () => {
    const late = (after: string) => ({ after: [after], timeout: 60_000 });
    const of = pipeline(
      [
        step('a'),
        step('b', late('a')),
        step('c', { ...late('b'), required: false }),
        step('d', late('b')),
      ],
      { deadline: 650_000 },
    );
    expect(refusals(of)).toEqual([expect.stringMatching(/^c: .*deadline of 650s/)]);
    expect(refusals({ ...of, deadline: 700_000 })).toEqual([]);
  });
});

test.each([
  'http://faas.example.com',
  'faas.example.com',
  'https://a@faas.example.com',
  'https://:b@faas.example.com',
  'https://faas.example.com#x',
  'https://faas.example.com?x',
])('%s is no address for an HTTP task', (functionsUrl) => {
  expect(() => toStepFunctions(pipeline([step('a')]), { functionsUrl })).toThrow(TypeError);
});
