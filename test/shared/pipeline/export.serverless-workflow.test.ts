/** Exports to the Serverless Workflow DSL: valid for its own SDK, and carried out as the pipeline says. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { toServerlessWorkflow } from '../../../shared/pipeline/export/serverless-workflow';
import type { Pipeline } from '../../../shared/pipeline/pipeline';
import { PEERS_TIMEOUT, providePeers } from '../../support/peers';
import { realJq } from './export/jq';
import { anyPipeline, input, pipeline, RETRY, script, signup, step } from './export/pipelines';
import { Raised, runWorkflow, type WorkflowEngine } from './export/workflow-engine';
import { check, World } from './export/world';

const OPTIONS = { functionsUrl: 'http://faas.example.com:8080/', unsigned: true };
const SECRETS = Object.fromEntries(
  Array.from({ length: 6 }, (_, n) => [`URL_${n}`, `https://hook-${n}.example.com/x?token={a}`]),
);

interface Sdk {
  readonly validate: (type: 'Workflow', document: unknown) => void;
  readonly Classes: { readonly Workflow: { deserialize(text: string): unknown } };
}

let sdk: Sdk;
let jq: WorkflowEngine['jq'];

beforeAll(async () => {
  const load = await providePeers('export');
  sdk = load('@serverlessworkflow/sdk');
  jq = realJq(load);
}, PEERS_TIMEOUT);

const exported = (of: Pipeline, options = OPTIONS): string => {
  const result = toServerlessWorkflow(of, options);
  if ('refused' in result) throw new Error(JSON.stringify(result.refused));
  return result.text;
};

const refusals = (of: Pipeline, options: Parameters<typeof toServerlessWorkflow>[1] = OPTIONS) => {
  const result = toServerlessWorkflow(of, options);
  return 'refused' in result ? result.refused.map(({ step, reason }) => `${step}: ${reason}`) : [];
};

/** Also read as the SDK reads it, by another parser of YAML. */
const expectValid = (text: string): void => {
  sdk.validate('Workflow', parse(text));
  expect(JSON.parse(JSON.stringify(sdk.Classes.Workflow.deserialize(text)))).toEqual(parse(text));
};

const carryOut = async (of: Pipeline, given: unknown, world: World) => {
  try {
    await runWorkflow(parse(exported(of)), { jq, world, input: given, secrets: SECRETS });
    return undefined;
  } catch (raised) {
    if (raised instanceof Raised) return raised.problem;
    throw raised;
  }
};

const any = anyPipeline({ targets: ['function', 'webhook', 'event'] });

test('the signup of the suite is valid', () => {
  expectValid(exported(signup()));
});

test('any pipeline of calls is valid', () => {
  fc.assert(
    fc.property(any, (of) => expectValid(exported(of))),
    { numRuns: 150 },
  );
});

test('any pipeline of calls is carried out in order, as often, with the bodies and keys that it says', async () => {
  await fc.assert(
    fc.asyncProperty(any, input, script, async (of, given, reactions) => {
      const world = new World(reactions);
      const problem = await carryOut(of, given, world);
      check({
        pipeline: of,
        input: given,
        world,
        outcome: problem ? 'failed' : 'succeeded',
        urlOf: ({ target }) => {
          if ('function' in target) return `caller@http://faas.example.com:8080/${target.function}`;
          return 'webhook' in target ? (SECRETS[target.webhook] as string) : 'emit';
        },
      });
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('a step that waits listens for its event, once, with the run and step as the subject', async () => {
  const of = pipeline([
    step('step-0', { target: { wait: 'approved' }, timeout: 1_000 }),
    step('step-1', { after: ['step-0'] }),
  ]);
  expectValid(exported(of));
  const world = new World([[{ status: 200, ms: 900 }], [{ status: 200, ms: 1 }]]);
  expect(await carryOut(of, {}, world)).toBeUndefined();
  expect(world.calls.map(({ url, step: name, at }) => [url, name, at])).toEqual([
    ['listen approved', 'step-0', 0],
    ['caller@http://faas.example.com:8080/step-1', 'step-1', 900],
  ]);
  const late = new World([[{ status: 200, ms: 1_001 }]]);
  expect(await carryOut(of, {}, late)).toMatchObject({ detail: 'step-0' });
  expect(late.calls.map(({ step: name }) => name)).toEqual(['step-0']);
});

test('the error of a failed workflow names the steps that failed', async () => {
  const of = pipeline([step('step-0'), step('step-1', { required: false }), step('step-2')]);
  const world = new World([404, 404, 410].map((status) => [{ status, ms: 1 }]));
  expect(await carryOut(of, {}, world)).toMatchObject({ status: 500, detail: 'step-0, step-2' });
});

test('a name that ends in a dash, and 100 steps in a row, are valid', () => {
  const steps = Array.from({ length: 100 }, (_, n) =>
    step(`s${n}`, { after: n === 0 ? [] : [`s${n - 1}`] }),
  );
  expectValid(exported(pipeline(steps, { name: 'orders-' })));
});

test('the document says which secrets it needs, that it is unsigned, and what is stricter or missing', () => {
  const of = pipeline([
    step('a'),
    step('b', { target: { webhook: 'HOOK', secret: 'S' } }),
    step('c', { after: ['a'] }),
  ]);
  const { document, use, timeout, input: given } = parse(exported(of));
  expect(use).toEqual({
    secrets: ['CALLER_TOKEN', 'HOOK'],
    authentications: { caller: { bearer: { use: 'CALLER_TOKEN' } } },
  });
  expect(timeout).toEqual({ after: { milliseconds: of.deadline } });
  expect(given.schema.document).toEqual(of.input);
  expect(document.metadata).toMatchObject({ graph: of.hash, unsigned: true });
  for (const words of [
    'CALLER_TOKENS',
    'HOOK holds the URL',
    'not signed',
    'stage by stage',
    'not jittered',
  ])
    expect(document.metadata.notes.join()).toContain(words);
});

describe('refused, all at once and each with its step:', () => {
  test('what the format does not have', () => {
    const undo = { target: { function: 'b' }, timeout: 1_000, retry: RETRY };
    const of = pipeline([
      step('rate', { rate: 5, undo }),
      step('wait', { target: { wait: 'approved' }, timeout: 1_000 }),
      step('reads', { after: ['wait'], input: { by: 'wait#/by' } }),
      step('type', { target: { event: `\${.x}` } }),
      step('fine'),
    ]);
    expect(refusals(of)).toEqual([
      expect.stringMatching(/^rate: .*rate of calls/),
      expect.stringMatching(/^rate: .*take back/),
      expect.stringMatching(/^wait: .*the event or its data/),
      expect.stringMatching(/^type: .*expression/),
    ]);
  });

  test('a webhook that may not go out unsigned, and a function that has no address', () => {
    const of = pipeline([step('a'), step('b', { target: { webhook: 'HOOK', secret: 'S' } })]);
    expect(refusals(of, {})).toEqual([
      expect.stringMatching(/^a: .*--functions-url/),
      expect.stringMatching(/^b: the format cannot sign/),
    ]);
    expect(refusals(of)).toEqual([]);
  });

  test('an optional step that can still be at work at the deadline, but not a required one', () => {
    const of = pipeline(
      [
        step('a', { target: { wait: 'approved' }, timeout: 60_000 }),
        step('b', { after: ['a'], required: false }),
        step('c', { after: ['a'] }),
      ],
      { deadline: 117_499 },
    );
    expect(refusals(of)).toEqual([expect.stringMatching(/^b: .*deadline of 117499ms/)]);
    expect(refusals({ ...of, deadline: 117_500 })).toEqual([]);
  });
});
