import { describe, expect, test } from '@jest/globals';
import { readEvent } from '../../../shared/event';
import { verifyWebhookSignature } from '../../../shared/webhook/sign';
import { buildStepCall, stepKey } from '../../../shared/webhook/step-call';
import { testContext } from '../../support/invoke';

const KEY = Buffer.alloc(32, 7);
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const options = {
  pipeline: 'signup',
  step: 'welcome',
  runId: 'dG8gYmUgb3Igbm90IHRvIA',
  input: { username: 'ada', email: 'ada@example.com' },
  url: 'http://localhost:8080/email-user',
  keys: [KEY],
  now: NOW,
  traceparent,
};

describe('the call of a step', () => {
  test('has these headers and no others', () => {
    const { url, headers, body } = buildStepCall(options);
    expect(url).toBe('http://localhost:8080/email-user');
    expect(body.toString()).toBe('{"username":"ada","email":"ada@example.com"}');
    const { 'webhook-signature': signature, ...rest } = headers;
    expect(rest).toEqual({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
      'ce-type': 'signup.welcome',
      'ce-source': '/signup/runs',
      'ce-time': '2026-01-02T03:04:05.678Z',
      'idempotency-key': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
      'webhook-id': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
      'webhook-timestamp': '1767323045',
      traceparent,
    });
    expect(signature).toMatch(/^v1,[\w+/]{43}=$/);
  });

  test('is verified by whoever has the secret', () => {
    const { headers, body } = buildStepCall(options);
    expect(
      verifyWebhookSignature({
        id: headers['webhook-id'] as string,
        timestamp: headers['webhook-timestamp'] as string,
        signature: headers['webhook-signature'] as string,
        body,
        keys: [KEY],
        now: NOW,
      }),
    ).toBe(true);
  });

  test('is an event to our own functions, with the key of the effect', async () => {
    const { url, headers, body } = buildStepCall(options);
    const request = new Request(url, { method: 'POST', headers, body: new Uint8Array(body) });
    const event = await readEvent(request, testContext(), { name: 'email-user', check: () => [] });
    expect(event).toEqual({
      id: 'dG8gYmUgb3Igbm90IHRvIA:welcome',
      source: '/signup/runs',
      type: 'signup.welcome',
      time: '2026-01-02T03:04:05.678Z',
      data: options.input,
      key: stepKey(options.runId, 'welcome'),
    });
  });

  test('keeps key, time of the event and bytes over attempts, and takes a fresh timestamp', () => {
    const first = buildStepCall({ ...options, startedAt: NOW });
    const again = buildStepCall({ ...options, startedAt: NOW, now: NOW + 60_000 });
    expect(again.body).toEqual(first.body);
    for (const name of ['ce-id', 'ce-time', 'idempotency-key', 'webhook-id'])
      expect(again.headers[name]).toBe(first.headers[name]);
    expect(again.headers['webhook-timestamp']).toBe('1767323105');
  });

  test('sends any JSON value', () => {
    for (const input of [null, 0, '', [], { text: '\ud800 é \u2028' }])
      expect(JSON.parse(buildStepCall({ ...options, input }).body.toString())).toEqual(input);
  });

  test.each([
    [{}, 'welcome', 'signup.welcome'],
    [{ generation: 1 }, 'welcome', 'signup.welcome'],
    [{ generation: 2 }, 'welcome:2', 'signup.welcome'],
    [{ undo: true }, 'welcome:undo', 'signup.welcome.undo'],
    [{ generation: 12, undo: true }, 'welcome:12:undo', 'signup.welcome.undo'],
  ])('of %j has the key …:%s and the type %s', (effect, key, type) => {
    const { headers } = buildStepCall({ ...options, effect });
    const id = `dG8gYmUgb3Igbm90IHRvIA:${key}`;
    expect(stepKey(options.runId, 'welcome', effect)).toBe(id);
    expect(headers).toMatchObject({
      'ce-id': id,
      'idempotency-key': id,
      'webhook-id': id,
      'ce-type': type,
    });
  });

  test('has no key twice, whatever the names of steps', () => {
    const effects = [1, 2, 3].flatMap((generation) =>
      [false, true].map((undo) => ({ generation, undo })),
    );
    const keys = ['a', 'undo', 'a-2', 'x2'].flatMap((step) =>
      effects.map((effect) => stepKey('run', step, effect)),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('of an event has the type of the event, and may go out without a signature', () => {
    const event = { ...options, type: 'user.signed-up', unsigned: true };
    const unsigned = buildStepCall({ ...event, keys: [] }).headers;
    expect(unsigned['ce-type']).toBe('user.signed-up');
    expect(unsigned).not.toHaveProperty('webhook-signature');
    expect(unsigned['webhook-id']).toBe('dG8gYmUgb3Igbm90IHRvIA:welcome');
    expect(buildStepCall(event).headers['webhook-signature']).toMatch(/^v1,/);
  });

  test('is never made unsigned, or without a body', () => {
    expect(() => buildStepCall({ ...options, keys: [] })).toThrow(TypeError);
    expect(() => buildStepCall({ ...options, keys: [], unsigned: false })).toThrow(TypeError);
    expect(() => buildStepCall({ ...options, input: undefined })).toThrow(TypeError);
  });
});
