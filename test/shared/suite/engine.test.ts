/** Where the steps of a suite go, who signs them, and whom they may call. */
import { describe, expect, test } from '@jest/globals';
import { deriveKeys } from '../../../shared/keys';
import type { Resolved } from '../../../shared/pipeline/attempt';
import type { Target } from '../../../shared/pipeline/pipeline';
import { destinationOf } from '../../../shared/suite/engine';
import { unguarded } from '../../../shared/webhook/guard';
import { parseWebhookSecrets } from '../../../shared/webhook/sign';

const keys = deriveKeys('a test secret of at least 32 characters');
const OWN = [keys('step').current.bytes];
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

const to = (
  target: Target,
  environment: Record<string, string> = {},
  subscribers: readonly string[] = [],
): Resolved | undefined =>
  destinationOf({
    environment,
    keys,
    functionsUrl: () => 'http://localhost:8080/',
    subscribers: (type) => (type === 'user.signed-up' ? subscribers : []),
  })(target);

describe('a function of our own', () => {
  test('is called at its path, signed with the key that never leaves the suite', () => {
    expect(to({ function: 'email-user' })).toEqual({
      name: 'email-user',
      addresses: [{ url: 'http://localhost:8080/email-user', keys: OWN, guard: unguarded }],
      canBeGone: false,
    });
  });
});

describe('a webhook', () => {
  const crm: Target = { webhook: 'CRM_URL', secret: 'CRM_SECRET' };
  const url = 'https://crm.example.com/hook';

  test('is called where its variable says, with the keys of its secret and no key of ours', () => {
    const environment = { CRM_URL: ` ${url} `, CRM_SECRET: `${SECRET},${OTHER}` };
    const found = to(crm, { ...environment, WEBHOOK_SECRET: OTHER });
    expect(found?.addresses[0]).toMatchObject({
      url,
      keys: parseWebhookSecrets(`${SECRET},${OTHER}`),
    });
    expect(found?.addresses[0]?.keys).not.toContainEqual(OWN[0]);
    expect(found?.canBeGone).toBe(true);
  });

  test.each([{}, { CRM_URL: '' }, { CRM_URL: '  ' }])('of %j is not configured', (environment) => {
    expect(to(crm, environment)).toBeUndefined();
  });

  test('without a secret has no keys, so that no call is ever built', () => {
    expect(to(crm, { CRM_URL: url, WEBHOOK_SECRET: SECRET })?.addresses[0]?.keys).toEqual([]);
  });

  test('is the same receiver for every step, and another one at another address', () => {
    const environment = { CRM_URL: url, CRM_SECRET: SECRET };
    const name = to(crm, environment)?.name;
    expect(name).toMatch(/^CRM_URL\.[0-9a-f]{12}$/);
    expect(name).not.toContain('example');
    expect(to({ ...crm, secret: 'OTHER_SECRET' }, environment)?.name).toBe(name);
    expect(to(crm, { ...environment, CRM_SECRET: OTHER })?.name).toBe(name);
    expect(to(crm, { ...environment, CRM_URL: `${url}/2` })?.name).not.toBe(name);
  });

  test('two that share a variable, with secrets of their own, are signed each with its own', () => {
    const destination = destinationOf({
      environment: { CRM_URL: url, ONE: SECRET, TWO: OTHER },
      keys,
      functionsUrl: () => '',
      subscribers: () => [],
    });
    const keysOf = (secret: string) =>
      destination({ webhook: 'CRM_URL', secret })?.addresses[0]?.keys;
    expect(keysOf('ONE')).toEqual(parseWebhookSecrets(SECRET));
    expect(keysOf('TWO')).toEqual(parseWebhookSecrets(OTHER));
    expect(keysOf('ONE')).toEqual(parseWebhookSecrets(SECRET));
  });

  test('may call what is public, and of the rest what the operator allows', () => {
    const guardOf = (environment: Record<string, string>) =>
      to(crm, { CRM_URL: url, CRM_SECRET: SECRET, ...environment })?.addresses[0]?.guard;
    const closed = guardOf({});
    expect(closed).not.toBe(unguarded);
    expect(closed?.resolver('127.0.0.1', 80)).toBeUndefined();
    expect(closed?.resolver('93.184.215.14', 443)).toBeDefined();
    const open = guardOf({ WEBHOOK_ALLOW: '127.0.0.1:80' });
    expect(open?.resolver('127.0.0.1', 80)).toBeDefined();
    expect(open?.resolver('127.0.0.1', 81)).toBeUndefined();
  });

  test('shares its guard with the others, and with it their sockets', () => {
    const destination = destinationOf({
      environment: { CRM_URL: url, ERP_URL: url, CRM_SECRET: SECRET },
      keys,
      functionsUrl: () => '',
      subscribers: () => [],
    });
    const guardOf = (webhook: string) =>
      destination({ webhook, secret: 'CRM_SECRET' })?.addresses[0]?.guard;
    expect(guardOf('CRM_URL')).toBe(guardOf('ERP_URL'));
  });
});

describe('an event', () => {
  const event: Target = { event: 'user.signed-up' };

  test('goes to all of ours that it starts, signed as our own', () => {
    expect(to(event, {}, ['welcome', 'billing'])).toEqual({
      name: 'event user.signed-up',
      addresses: ['welcome', 'billing'].map((name) => ({
        url: `http://localhost:8080/${name}`,
        keys: OWN,
        guard: unguarded,
      })),
      canBeGone: false,
    });
  });

  test('goes to the sink where there is one, and to nobody else; signed if there is a secret', () => {
    const sink = { K_SINK: 'http://broker.local/default' };
    const found = to(event, sink, ['welcome']);
    expect(found).toEqual({
      name: 'K_SINK',
      addresses: [{ url: 'http://broker.local/default', keys: [], guard: unguarded }],
      canBeGone: false,
    });
    expect(to(event, { ...sink, WEBHOOK_SECRET: SECRET })?.addresses[0]?.keys).toEqual(
      parseWebhookSecrets(SECRET),
    );
  });

  test('that nobody waits for goes nowhere', () => {
    expect(to(event)).toBeUndefined();
    expect(to({ event: 'other' }, {}, ['welcome'])).toBeUndefined();
  });
});

test('a step that waits goes nowhere', () => {
  expect(to({ wait: 'order.approved' }, { K_SINK: 'http://broker' })).toBeUndefined();
});
