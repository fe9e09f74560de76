import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../../shared/failure';
import { parseWebhookSecrets, signWebhook } from '../../../shared/webhook/sign';
import { buildStepCall } from '../../../shared/webhook/step-call';
import { type VerifyWebhookRequestOptions, verifyWebhook } from '../../../shared/webhook/verify';

const NOW = 1_700_000_000_000;
const secretOf = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`;
const [SECRET, OLD, OTHER] = [secretOf(1), secretOf(2), secretOf(3)] as [string, string, string];
const BODY = Buffer.from('{"user":"ada","n":1}');
type Options = VerifyWebhookRequestOptions;
const options: Options = { secrets: SECRET, clock: { now: () => NOW } };

interface Delivery {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: Uint8Array;
}

const sign = (secret = SECRET, body: Uint8Array = BODY): Delivery => {
  const [id, timestamp] = ['run-1:crm', NOW / 1000];
  const keys = parseWebhookSecrets(secret);
  return {
    id,
    timestamp: `${timestamp}`,
    body,
    signature: signWebhook({ id, timestamp, body, keys }),
  };
};

const requestOf = (
  { id, timestamp, signature, body }: Delivery,
  headers: Record<string, string | undefined> = {},
): Request => {
  const fields = {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
    ...headers,
  };
  const given = Object.entries(fields).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new Request('http://test.local/hook', {
    method: 'POST',
    headers: given,
    body: new Uint8Array(body),
  });
};

const verify = (delivery: Delivery, more: Partial<Options> = {}) =>
  verifyWebhook(requestOf(delivery), { ...options, ...more });

const UNAUTHORIZED = { code: 'unauthorized', status: 401 };

describe('a webhook', () => {
  test('of ours is verified: id, timestamp, the exact bytes and their JSON', async () => {
    const call = buildStepCall({
      pipeline: 'signup',
      step: 'crm',
      runId: 'run-1',
      input: { user: 'ada' },
      url: 'http://test.local/hook',
      keys: parseWebhookSecrets(SECRET),
      now: NOW,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    const request = new Request(call.url, {
      method: 'POST',
      headers: call.headers,
      body: new Uint8Array(call.body),
    });
    const { id, timestamp, body, json } = await verifyWebhook(request, options);
    expect([id, timestamp]).toEqual(['run-1:crm', NOW / 1000]);
    expect(Buffer.from(body)).toEqual(call.body);
    expect(json()).toEqual({ user: 'ada' });
  });

  test('of the specification is verified', async () => {
    const request = new Request('http://test.local/', {
      method: 'POST',
      headers: {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      body: '{"test": 2432232314}',
    });
    const verified = await verifyWebhook(request, {
      secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      clock: { now: () => 1_614_265_330_000 },
    });
    expect(verified.json()).toEqual({ test: 2432232314 });
  });

  test('may have any body, of any type', async () => {
    for (const body of [new Uint8Array(), new Uint8Array([0, 255, 128])])
      expect([...(await verify(sign(SECRET, body))).body]).toEqual([...body]);
    const { json } = await verify(sign(SECRET, new Uint8Array([0x22, 0xff, 0x22])));
    expect(json).toThrow(expect.objectContaining({ code: 'invalid_json' }));
    const twice = await verify(sign(SECRET, Buffer.from('{"a":1,"a":2}')));
    expect(twice.json).toThrow(Failure);
  });

  test('is not inflated: what is signed is what came', async () => {
    const body = gzipSync(BODY);
    const request = requestOf(sign(SECRET, body), { 'content-encoding': 'gzip' });
    expect(Buffer.from((await verifyWebhook(request, options)).body)).toEqual(body);
  });

  test('signed with another secret is refused, and nothing of ours is told', async () => {
    const failure = await verify(sign(OTHER)).catch((thrown: Failure) => thrown as Failure);
    expect(failure).toMatchObject(UNAUTHORIZED);
    expect(JSON.stringify(failure) + String((failure as Failure).stack)).not.toContain(
      SECRET.slice(6),
    );
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])(
    'without the field %s, or with an empty one, is refused',
    async (name) => {
      for (const value of [undefined, ''])
        await expect(
          verifyWebhook(requestOf(sign(), { [name]: value }), options),
        ).rejects.toMatchObject(UNAUTHORIZED);
    },
  );

  test('with a field that stands twice is refused', async () => {
    for (const name of ['webhook-id', 'webhook-timestamp']) {
      const request = requestOf(sign());
      request.headers.append(name, request.headers.get(name) as string);
      await expect(verifyWebhook(request, options)).rejects.toMatchObject(UNAUTHORIZED);
    }
  });

  test('is refused for every changed bit of its body, id, timestamp or signature', async () => {
    const fields = ['body', 'id', 'timestamp', 'signature'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fields),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        async (field, at, bit) => {
          const whole = sign();
          const bytes = Buffer.from(whole[field]);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ (1 << bit);
          const changed = field === 'body' ? bytes : bytes.toString('latin1');
          // What no header can hold, or what a header loses at its ends, never gets to a receiver.
          if (field !== 'body' && !/^[\t\x20-\x7e\x80-\xff]+$/.test(changed.toString('latin1')))
            return fc.pre(false);
          const delivery = { ...whole, [field]: changed };
          const widest = { ...options, toleranceSeconds: 1e12 };
          await expect(verifyWebhook(requestOf(delivery), widest)).rejects.toMatchObject(
            UNAUTHORIZED,
          );
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe('secrets', () => {
  test('rotate: any of several will do, on either side', async () => {
    const both = `${SECRET}, ${OLD}`;
    for (const secrets of [both, [SECRET, OLD], [OLD, SECRET], [both, OTHER]])
      for (const signer of [SECRET, OLD, both])
        expect((await verify(sign(signer), { secrets })).id).toBe('run-1:crm');
    expect((await verify(sign(both), { secrets: OLD })).id).toBe('run-1:crm');
    await expect(verify(sign(OTHER), { secrets: both })).rejects.toMatchObject(UNAUTHORIZED);
  });

  test.each([[''], [[]], ['whsec_short'], [SECRET.slice(6)], [[SECRET, '']], [`${SECRET},`]])(
    'such as %j are a mistake of the caller',
    async (secrets) => {
      await expect(verify(sign(), { secrets })).rejects.toThrow(TypeError);
    },
  );
});

describe('the replay window', () => {
  test.each([
    [-300_000, true],
    [-300_001, false],
    [300_000, true],
    [300_001, false],
    [86_400_000, false],
  ])('%i ms off: %s', async (off, taken) => {
    const verified = verify(sign(), { clock: { now: () => NOW + off } });
    if (taken) expect((await verified).id).toBe('run-1:crm');
    else await expect(verified).rejects.toMatchObject(UNAUTHORIZED);
  });

  test('is as wide as it is told', async () => {
    const clock = { now: () => NOW + 10_001 };
    await expect(verify(sign(), { clock, toleranceSeconds: 10 })).rejects.toMatchObject(
      UNAUTHORIZED,
    );
    expect((await verify(sign(), { clock, toleranceSeconds: 11 })).id).toBe('run-1:crm');
  });

  test('is of the system clock unless told otherwise', async () => {
    await expect(verifyWebhook(requestOf(sign()), { secrets: SECRET })).rejects.toMatchObject(
      UNAUTHORIZED,
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])(
    'cannot be %d: that would take every timestamp, or none',
    async (toleranceSeconds) => {
      await expect(verify(sign(), { toleranceSeconds })).rejects.toThrow(TypeError);
    },
  );
});

describe('a body', () => {
  test('of more than 1 MiB is refused, declared or not', async () => {
    const large = new Uint8Array(1_048_577);
    await expect(verify(sign(SECRET, large))).rejects.toMatchObject({ code: 'body_too_large' });
    expect((await verify(sign(SECRET, large.subarray(1)))).body.length).toBe(1_048_576);
  });

  test('without end is left after 1 MiB', async () => {
    let sent = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel() {
        cancelled = true;
      },
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    await expect(
      verifyWebhook(new Request('http://test.local/', init), options),
    ).rejects.toMatchObject({ code: 'body_too_large' });
    expect(cancelled).toBe(true);
    expect(sent).toBeLessThan(1_048_576 + 3 * 65_536);
  });

  test('that breaks off is a failure like any other', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error('a socket of 10.0.0.1')),
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const failed = verifyWebhook(new Request('http://test.local/', init), options);
    await expect(failed).rejects.toMatchObject({ code: 'aborted' });
  });

  test('that was read already is a mistake of the caller, not of the sender', async () => {
    const request = requestOf(sign());
    await request.text();
    await expect(verifyWebhook(request, options)).rejects.toThrow(TypeError);
  });
});
