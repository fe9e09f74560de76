import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  parseWebhookSecrets,
  signWebhook,
  type VerifyWebhookOptions,
  verifyWebhookSignature,
} from '../../../shared/webhook/sign';

const NOW = 1_700_000_000_000;
const KEY = Buffer.alloc(32, 7);
const OLD = Buffer.alloc(24, 8);
const BODY = Buffer.from('{"user":"ada"}');

const signed = (overrides: Partial<VerifyWebhookOptions> = {}): VerifyWebhookOptions => {
  const id = 'run:step';
  const timestamp = NOW / 1000;
  const signature = signWebhook({ id, timestamp, body: BODY, keys: [KEY] });
  return {
    id,
    timestamp: `${timestamp}`,
    signature,
    body: BODY,
    keys: [KEY],
    now: NOW,
    ...overrides,
  };
};

describe('signWebhook', () => {
  test('gives the example of the specification', () => {
    const [key] = parseWebhookSecrets('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(
      signWebhook({
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        timestamp: 1_614_265_330,
        body: Buffer.from('{"test": 2432232314}'),
        keys: [key as Uint8Array],
      }),
    ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('is HMAC-SHA256 over the exact bytes, also where they are no UTF-8', () => {
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    const expected = createHmac('sha256', KEY)
      .update(Buffer.concat([Buffer.from('a.1.'), body]))
      .digest('base64');
    expect(signWebhook({ id: 'a', timestamp: 1, body, keys: [KEY] })).toBe(`v1,${expected}`);
    const other = Buffer.from([0xfd, 0x00, 0xfe]);
    expect(signWebhook({ id: 'a', timestamp: 1, body: other, keys: [KEY] })).not.toBe(
      `v1,${expected}`,
    );
  });

  test('signs with every key, the first one first', () => {
    const options = { id: 'a', timestamp: 1, body: BODY };
    expect(signWebhook({ ...options, keys: [KEY, OLD] })).toBe(
      `${signWebhook({ ...options, keys: [KEY] })} ${signWebhook({ ...options, keys: [OLD] })}`,
    );
  });

  test.each([
    ['an id with a dot', { id: 'a.1' }],
    ['an empty id', { id: '' }],
    ['an id with a space', { id: 'a b' }],
    ['a fraction of a second', { timestamp: 1.5 }],
    ['a time before the epoch', { timestamp: -1 }],
    ['no number', { timestamp: Number.NaN }],
    ['no key', { keys: [] }],
  ])('refuses %s', (_, wrong) => {
    expect(() => signWebhook({ id: 'a', timestamp: 1, body: BODY, keys: [KEY], ...wrong })).toThrow(
      TypeError,
    );
  });
});

describe('verifyWebhookSignature', () => {
  test('takes what was signed', () => {
    expect(verifyWebhookSignature(signed())).toBe(true);
  });

  test('takes any of several signatures and keys, so that secrets can rotate', () => {
    const both = signWebhook({
      id: 'run:step',
      timestamp: NOW / 1000,
      body: BODY,
      keys: [KEY, OLD],
    });
    for (const keys of [[KEY], [OLD], [Buffer.alloc(32), OLD]])
      expect(verifyWebhookSignature(signed({ signature: both, keys }))).toBe(true);
    expect(verifyWebhookSignature(signed({ signature: `v1a,unknown ${both}` }))).toBe(true);
    expect(verifyWebhookSignature(signed({ keys: [OLD] }))).toBe(false);
    expect(verifyWebhookSignature(signed({ keys: [] }))).toBe(false);
  });

  test.each([
    [-300_000, true],
    [-300_001, false],
    [300_000, true],
    [300_001, false],
  ])('takes a timestamp up to 300 s off, to either side: %i ms', (off, taken) => {
    expect(verifyWebhookSignature(signed({ now: NOW + off }))).toBe(taken);
  });

  test('takes the tolerance it is given', () => {
    expect(verifyWebhookSignature(signed({ now: NOW + 10_001, toleranceSeconds: 10 }))).toBe(false);
    expect(verifyWebhookSignature(signed({ now: NOW + 10_000, toleranceSeconds: 10 }))).toBe(true);
  });

  test.each([
    '',
    '1700000000xyz',
    ' 1700000000',
    '+1700000000',
    '1.7e9',
    '01700000000',
    '-1',
    '1700000000.0',
    'NaN',
  ])('takes no timestamp that is not a whole number: %j', (timestamp) => {
    const signature = `v1,${createHmac('sha256', KEY).update(`run:step.${timestamp}.`).update(BODY).digest('base64')}`;
    expect(verifyWebhookSignature(signed({ timestamp, signature, toleranceSeconds: 1e12 }))).toBe(
      false,
    );
  });

  test('takes no id with a dot: a|1.2 would pass for a.1|2', () => {
    const timestamp = `${NOW / 1000}`;
    const signature = `v1,${createHmac('sha256', KEY).update(`a.1.${timestamp}.`).update(BODY).digest('base64')}`;
    expect(verifyWebhookSignature(signed({ id: 'a.1', timestamp, signature }))).toBe(false);
  });

  test.each(['', 'v1', 'v1,', 'v2,', ' ', 'v1,AAAA', `v1,${'A'.repeat(43)}=`])(
    'takes no signature such as %j',
    (signature) => {
      expect(verifyWebhookSignature(signed({ signature }))).toBe(false);
    },
  );

  test('looks at 16 signatures at most', () => {
    const { signature } = signed();
    const noise = (count: number) => Array.from({ length: count }, () => 'v1,AAAA').join(' ');
    expect(verifyWebhookSignature(signed({ signature: `${noise(15)} ${signature}` }))).toBe(true);
    expect(verifyWebhookSignature(signed({ signature: `${noise(16)} ${signature}` }))).toBe(false);
  });

  test('takes no single changed bit of body, id, timestamp or signature', () => {
    const fields = ['body', 'id', 'timestamp', 'signature'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...fields),
        fc.nat(),
        fc.integer({ min: 0, max: 6 }),
        (field, at, bit) => {
          const whole = signed({ toleranceSeconds: 1e12 });
          const value = whole[field];
          const bytes = Buffer.from(value);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ (1 << bit);
          const changed = typeof value === 'string' ? bytes.toString() : bytes;
          return !verifyWebhookSignature({ ...whole, [field]: changed });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('parseWebhookSecrets', () => {
  const secret = (length: number) => `whsec_${Buffer.alloc(length, 9).toString('base64')}`;

  test('takes 24 to 64 bytes, with or without padding, and several of them', () => {
    expect(parseWebhookSecrets(secret(24))).toEqual([Buffer.alloc(24, 9)]);
    expect(parseWebhookSecrets(secret(64).replace(/=+$/, ''))).toEqual([Buffer.alloc(64, 9)]);
    expect(parseWebhookSecrets(`${secret(32)}, ${secret(25)}`)).toEqual([
      Buffer.alloc(32, 9),
      Buffer.alloc(25, 9),
    ]);
  });

  test.each([
    ['too short', secret(23)],
    ['too long', secret(65)],
    ['without its prefix', secret(32).slice(6)],
    ['with a space inside', `${secret(32).slice(0, 20)} ${secret(32).slice(20)}`],
    ['URL-safe', `whsec_${'-_'.repeat(16)}`],
    ['cut off', secret(32).slice(0, -3)],
    ['empty', ''],
    ['one empty among several', `${secret(32)},`],
  ])('refuses one that is %s, and shows nothing of it', (_, text) => {
    expect(() => parseWebhookSecrets(text)).toThrow(
      /^a webhook secret (is whsec_ and base64|holds 24 to 64 bytes)$/,
    );
  });
});
