/** Events on Lambda: of a queue, of EventBridge, of a schedule, each as the CloudEvent that a function takes. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { defineFunction } from '../../shared/define';
import { type CloudEvent, onEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import { lambdaHandler } from '../../shared/hosts/lambda';
import { compile } from '../../shared/schema';
import { invokeLambda, lambdaContext, loggedWhile } from '../support/lambda';

let seen: CloudEvent[] = [];
let underWay = 0;
let most = 0;

beforeEach(() => {
  seen = [];
  most = 0;
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Takes an object; `fail` says how it fails, `wait` how long it takes. */
const greet = defineFunction({
  name: 'greet',
  kind: 'event',
  summary: 'Takes events.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  config: {},
  routes: { 'POST /': { summary: 'Takes an event.' } },
  create: () => ({
    'POST /': onEvent<{ fail?: boolean; wait?: number }>(
      { name: 'greet', check: compile({ type: 'object' }) },
      async (event) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await sleep(event.data.wait ?? 1);
        underWay -= 1;
        if (event.data.fail) throw new Failure('store_unavailable');
        seen.push(event);
      },
    ),
  }),
});

const environment = { PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')) };
const catalogue = { greet: async () => ({ default: greet }) };
const handler = lambdaHandler({ catalogue, target: 'greet', environment });

const busEvent = (more: object = {}) => ({
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'user.created',
  source: 'my shop',
  account: '111122223333',
  time: '2026-11-20T18:43:48Z',
  region: 'eu-central-1',
  resources: [],
  detail: { username: 'ada' },
  ...more,
});

const TAKEN = {
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  source: 'my%20shop',
  type: 'user.created',
  time: '2026-11-20T18:43:48Z',
  data: { username: 'ada' },
  key: 'my%20shop 6a7e8feb-b491-4cf7-a9f1-bf3703467718',
};

const record = (messageId: string, body: unknown, group?: string) => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: { ...(group !== undefined && { MessageGroupId: group }) },
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:greet',
});

const fifo = (messageId: string, group: string, body: object) => ({
  ...record(messageId, body, group),
  eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:greet.fifo',
});

const failuresOf = async (Records: readonly object[], context = lambdaContext()) => {
  const { result } = await loggedWhile(() => handler({ Records }, context));
  const { batchItemFailures } = result as {
    batchItemFailures: { itemIdentifier: string }[];
  };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};

describe('an event of EventBridge', () => {
  test('is the CloudEvent that it means', async () => {
    expect(await handler(busEvent(), lambdaContext())).toBeNull();
    expect(seen).toEqual([TAKEN]);
  });

  test('of a schedule is one like any other', async () => {
    const event = busEvent({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
    await handler(event, lambdaContext());
    expect(seen).toMatchObject([{ type: 'Scheduled Event', source: 'aws.events', data: {} }]);
  });

  test('that is not taken is sent again', async () => {
    const { lines } = await loggedWhile(() =>
      expect(handler(busEvent({ detail: { fail: true } }), lambdaContext())).rejects.toThrow(
        'greet answered 503',
      ),
    );
    expect(lines.map(({ message }) => message)).toContain('event_refused');
  });

  test('with words outside of ASCII comes whole', async () => {
    await handler(busEvent({ 'detail-type': 'größe "50%"', detail: { ü: '€' } }), lambdaContext());
    expect(seen).toMatchObject([{ type: 'größe "50%"', data: { ü: '€' } }]);
  });
});

test('a CloudEvent as it is, is taken as it is', async () => {
  const event = { specversion: '1.0', id: '7', source: '/shop', type: 'a.b', data: { a: 1 } };
  await handler(event, lambdaContext());
  expect(seen).toMatchObject([{ id: '7', source: '/shop', type: 'a.b', data: { a: 1 } }]);
});

describe('a batch', () => {
  test('holds events of EventBridge, CloudEvents and plain JSON, each taken as what it is', async () => {
    const envelope = { specversion: '1.0', id: '7', source: '/shop', type: 'a.b', data: {} };
    expect(
      await failuresOf([
        record('m1', busEvent()),
        record('m2', envelope),
        record('m3', { username: 'ada' }),
      ]),
    ).toEqual([]);
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(
      expect.arrayContaining([
        TAKEN,
        expect.objectContaining({ id: '7', key: '/shop 7' }),
        { id: 'm3', source: '/greet', type: 'greet.request', data: { username: 'ada' }, key: 'm3' },
      ]),
    );
  });

  test('gives back what was not taken, and nothing else', async () => {
    expect(
      await failuresOf([
        record('m1', {}),
        record('m2', { fail: true }),
        record('m3', 'not JSON'),
        record('m4', '[]'),
        record('m5', { specversion: '0.3', id: '1' }),
        record('m6', {}),
      ]),
    ).toEqual(['m2', 'm3', 'm4', 'm5']);
    expect(seen.map(({ id }) => id).sort()).toEqual(['m1', 'm6']);
  });

  test('is worked on together, ten at a time', async () => {
    const records = Array.from({ length: 25 }, (_, i) => record(`m${i}`, { wait: 5 }, 'one'));
    expect(await failuresOf(records)).toEqual([]);
    expect([seen.length, most]).toEqual([25, 10]);
  });

  test('of a FIFO queue keeps the order of each group, and lets nothing overtake a failure', async () => {
    expect(
      await failuresOf([
        fifo('a1', 'a', { wait: 20 }),
        fifo('b1', 'b', {}),
        fifo('a2', 'a', { fail: true }),
        fifo('a3', 'a', {}),
        fifo('b2', 'b', {}),
        fifo('a4', 'a', {}),
      ]),
    ).toEqual(['a2', 'a3', 'a4']);
    expect(seen.map(({ id }) => id)).toEqual(['b1', 'b2', 'a1']);
  });

  test('that runs out of time gives back what is left', async () => {
    const records = [
      ...Array.from({ length: 10 }, (_, i) => record(`m${i}`, { wait: 600 })),
      record('last', {}),
    ];
    const failures = await failuresOf(records, lambdaContext(600));
    expect(failures).toHaveLength(11);
    await sleep(300);
    expect(seen.map(({ id }) => id)).not.toContain('last');
  });
});

test('nobody can pretend to be the platform', async () => {
  const headers = [
    ['content-type', 'application/json'],
    ['ce-id', '1'],
    ['ce-source', 'aws.events'],
    ['ce-type', 'user.created'],
    ['ce-specversion', '1.0'],
  ] as const;
  const { result } = await loggedWhile(() =>
    invokeLambda(handler, { method: 'POST', path: '/greet', headers, body: '{}' }),
  );
  expect(result.status).toBe(403);
  expect(seen).toEqual([]);
});

test('a handler of many functions takes no events, since nothing says whose they are', async () => {
  const many = lambdaHandler({ catalogue, environment });
  await loggedWhile(() =>
    expect(many(busEvent(), lambdaContext())).rejects.toThrow('FUNCTION_TARGET'),
  );
});
