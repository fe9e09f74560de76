/** Our signatures before independent verifiers, those of standardwebhooks and svix, and our own beside them. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseWebhookSecrets, verifyWebhookSignature } from '../../../shared/webhook/sign';
import { buildStepCall, type StepCall } from '../../../shared/webhook/step-call';
import { PEERS_TIMEOUT, providePeers } from '../../support/peers';

type Headers = Readonly<Record<string, string>>;
type Verify = (secret: string, body: Buffer, headers: Headers) => unknown;

const ours: Verify = (secret, body, headers) => {
  const isVerified = verifyWebhookSignature({
    id: headers['webhook-id'] as string,
    timestamp: headers['webhook-timestamp'] as string,
    signature: headers['webhook-signature'] as string,
    body,
    keys: parseWebhookSecrets(secret),
    now: Date.now(),
  });
  if (!isVerified) throw new Error('not verified');
};

const verifiers = new Map<string, Verify>([['ours', ours]]);

beforeAll(async () => {
  const load = await providePeers('webhooks');
  for (const name of ['standardwebhooks', 'svix']) {
    const { Webhook } = load(name);
    verifiers.set(name, (secret, body, headers) => new Webhook(secret).verify(body, headers));
  }
}, PEERS_TIMEOUT);

const secretOf = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`;
const [OLD, NEW] = [secretOf(1), secretOf(2)] as [string, string];

/** Verifiers know the system's clock only. */
const callWith = (secrets: string, now = Date.now()): StepCall =>
  buildStepCall({
    pipeline: 'signup',
    step: 'crm',
    runId: 'dG8gYmUgb3Igbm90IHRvIA',
    input: { username: 'ada', text: 'é \u2028 {}', n: 1.5 },
    url: 'https://crm.example.com/hook',
    keys: parseWebhookSecrets(secrets),
    now,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });

const takes = (peer: string, secret: string, { headers, body }: StepCall): boolean => {
  try {
    verifiers.get(peer)?.(secret, body, headers);
    return true;
  } catch {
    return false;
  }
};

/** Before the rotation, while it lasts, after it: what signs, and whom of the receivers it satisfies. */
const ROTATION = [
  ['before', OLD, true, false],
  ['during, the new one first', `${NEW},${OLD}`, true, true],
  ['during, the old one first', `${OLD},${NEW}`, true, true],
  ['after', NEW, false, true],
] as const;

describe.each(['standardwebhooks', 'svix', 'ours'])('%s', (peer) => {
  test.each(ROTATION)('takes what is signed %s a rotation', (_, secrets, old, fresh) => {
    const call = callWith(secrets);
    expect(takes(peer, OLD, call)).toBe(old);
    expect(takes(peer, NEW, call)).toBe(fresh);
  });

  test('takes no attempt that is older than its tolerance, and a later one of the same call', () => {
    const now = Date.now();
    expect(takes(peer, OLD, callWith(OLD, now - 360_000))).toBe(false);
    expect(takes(peer, OLD, callWith(OLD, now - 240_000))).toBe(true);
  });

  test('takes none of 10,000 calls in which one bit has changed', () => {
    const call = callWith(OLD);
    const fields = ['body', 'webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
    const survivors: string[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      const field = fields[i % 4] as (typeof fields)[number];
      const bytes = Buffer.from(field === 'body' ? call.body : (call.headers[field] as string));
      const bit = Math.floor(i / 4) % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const mutated =
        field === 'body'
          ? { ...call, body: bytes }
          : { ...call, headers: { ...call.headers, [field]: bytes.toString('latin1') } };
      if (takes(peer, OLD, mutated)) survivors.push(`${field}, bit ${bit}`);
    }
    expect(survivors).toEqual([]);
    expect(takes(peer, OLD, call)).toBe(true);
  });
});
