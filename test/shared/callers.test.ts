import { describe, expect, test } from '@jest/globals';
import { type AllowOptions, allow } from '../../shared/callers';
import type { Callers } from '../../shared/define';
import type { Handler } from '../../shared/handler';
import { text } from '../../shared/http/response';
import { deriveKeys } from '../../shared/keys';
import { signWebhook } from '../../shared/webhook/sign';
import { invoke } from '../support/invoke';
import { manualClock } from '../support/manual-clock';

const clock = manualClock();
const keys = deriveKeys(
  'a test secret of at least 32 characters,an older secret of at least 32 characters',
);
const ADMIN = 'admin-token-1';
const CALLER = 'caller-token-1';
const next: Handler = async (request) =>
  text(`reached ${request.method === 'POST' ? await request.text() : ''}`);

const guarded = (callers: Callers, options: Partial<AllowOptions> = {}) =>
  allow({
    callers,
    production: true,
    adminTokens: [ADMIN, 'admin-token-2'],
    callerTokens: [CALLER],
    stepKeys: () => keys('step'),
    clock,
    ...options,
  })(next);

const signed = (
  body: string,
  {
    key = keys('step').current.bytes,
    id = 'run:step',
    timestamp = Math.floor(clock.now() / 1000),
  } = {},
) => ({
  'content-type': 'application/json',
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signWebhook({ id, timestamp, body: Buffer.from(body), keys: [key] }),
});

const status = async (
  handler: Handler,
  headers: Record<string, string> = {},
  body?: string,
): Promise<number | string> => {
  try {
    return (
      await invoke(handler, '/', { headers, ...(body !== undefined && { method: 'POST', body }) })
    ).status;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('in production', () => {
  test.each([
    ['public', {}, 200],
    ['backend', {}, 'unauthorized'],
    ['backend', bearer('wrong'), 'unauthorized'],
    ['backend', bearer(ADMIN), 'unauthorized'],
    ['backend', bearer(CALLER), 200],
    ['backend', { authorization: `Basic ${CALLER}` }, 'unauthorized'],
    ['admin', {}, 'unauthorized'],
    ['admin', bearer(CALLER), 'unauthorized'],
    ['admin', bearer(ADMIN), 200],
    ['admin', bearer('admin-token-2'), 200],
    ['admin', bearer(`${ADMIN}x`), 'unauthorized'],
  ] as const)('a %s route with %j answers %s', async (callers, headers, expected) => {
    expect(await status(guarded(callers), headers as Record<string, string>)).toBe(expected);
  });

  test.each(['backend', 'admin'] as const)(
    'a %s route is closed, not open, where no token is set',
    async (callers) => {
      const handler = guarded(callers, { adminTokens: [], callerTokens: [] });
      expect(await status(handler)).toBe('forbidden');
      expect(await status(handler, bearer(''))).toBe('forbidden');
      expect(await status(handler, bearer('anything'))).toBe('unauthorized');
    },
  );

  test('a step that we have signed may call a backend route, and its body is still there to be read', async () => {
    const response = await invoke(guarded('backend'), '/', {
      method: 'POST',
      headers: signed('{"a":1}'),
      body: '{"a":1}',
    });
    expect(await response.text()).toBe('reached {"a":1}');
  });

  test('a signature of an older secret still holds', async () => {
    const [, older] = keys('step').all;
    expect(
      await status(guarded('backend'), signed('{}', { key: older?.bytes as Uint8Array }), '{}'),
    ).toBe(200);
  });

  test.each([
    ['with the key of another purpose', signed('{}', { key: keys('webhook').current.bytes }), '{}'],
    ['of another body', signed('{"a":1}'), '{"a":2}'],
    [
      'that is six minutes old',
      signed('{}', { timestamp: Math.floor(clock.now() / 1000) - 360 }),
      '{}',
    ],
    ['under another id', { ...signed('{}'), 'webhook-id': 'run:other' }, '{}'],
    ['that is empty', { ...signed('{}'), 'webhook-signature': '' }, '{}'],
  ])('a signature %s is refused', async (_, headers, body) => {
    expect(await status(guarded('backend'), headers, body)).toBe('unauthorized');
  });

  test('a signed step may not call an admin route', async () => {
    expect(await status(guarded('admin'), signed('{}'), '{}')).toBe('unauthorized');
  });
});

test.each(['public', 'backend', 'admin'] as const)(
  'development is open to all: %s',
  async (callers) => {
    expect(await status(guarded(callers, { production: false }))).toBe(200);
  },
);
