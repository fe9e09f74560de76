import { describe, expect, test } from '@jest/globals';
import createUser from '../../functions/create-user';
import { problem } from '../../shared/http/response';
import { routeTo } from '../../shared/http/routes';
import type { Platform } from '../../shared/platform';
import type { Store } from '../../shared/store/store';
import { invoke, testContext } from '../support/invoke';
import { testPlatform } from '../support/test-platform';

const INPUT = { username: 'user-1', email: 'user@example.com' };

const start = (overrides: Partial<Platform> = {}) => {
  const platform = testPlatform(overrides);
  const handler = routeTo(createUser.create({}, platform));
  const create = async (body: unknown = INPUT, headers: Record<string, string> = {}) => {
    const response = await invoke(handler, '/', { body, headers }, testContext()).catch(
      (thrown: unknown) => problem(thrown, 'request-1'),
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  const users = async () =>
    (await platform.store.list<Record<string, unknown>>('create-user/')).entries;
  return { platform, create, users };
};

const keyed = (key: string) => ({ 'idempotency-key': key });

test('a user is kept and answered with id and time', async () => {
  const { platform, create, users } = start();
  const { status, body } = await create();
  const createdAt = new Date(platform.clock.now()).toISOString();
  expect([status, body]).toEqual([201, { id: expect.any(String), createdAt }]);
  expect((await users()).map(({ value }) => value)).toEqual([{ ...INPUT, id: body.id, createdAt }]);
});

test('nothing is kept but the declared fields, no password above all', async () => {
  const { platform, create } = start();
  const more = { password: 'correct horse', phoneNumber: '+12025550123', id: 'mine', admin: true };
  expect((await create({ ...INPUT, ...more }, keyed('key-1'))).status).toBe(201);
  const { entries } = await platform.store.list<Record<string, unknown>>('');
  const stored = JSON.stringify(entries);
  for (const secret of ['correct horse', '2025550123', 'mine', 'admin', 'key-1'])
    expect(stored).not.toContain(secret);
  const user = entries.find(({ key }) => key.startsWith('create-user/'));
  expect(Object.keys(user?.value ?? {}).sort()).toEqual([
    'createdAt',
    'email',
    'id',
    'key',
    'username',
  ]);
});

test('a second user with the same address in another spelling is refused', async () => {
  const { create, users } = start();
  await create();
  const { status, body } = await create({ username: 'user-2', email: 'USER@Example.COM' });
  expect([status, body.code]).toEqual([422, 'user_exists']);
  expect(await users()).toHaveLength(1);
});

test('of 50 at once with one address exactly one is created', async () => {
  const { create, users } = start();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => create({ ...INPUT, username: `user-${i}` })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === 'user_exists')).toHaveLength(49);
  expect(await users()).toHaveLength(1);
});

describe('the same wish again', () => {
  test('gets the first answer, by key or by CloudEvent', async () => {
    for (const headers of [
      keyed('key-1'),
      { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/signup/runs', 'ce-type': 'signup' },
    ]) {
      const { create } = start();
      const first = await create(INPUT, headers);
      const again = await create(INPUT, headers);
      expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
  });

  test('gets the first answer when the first died between the record and the answer', async () => {
    const { platform, create, users } = start();
    const dead: Store = {
      ...platform.store,
      compareAndSwap: async (key, expected, value, options) => {
        const written = await platform.store.compareAndSwap(key, expected, value, options);
        return key.startsWith('create-user/') ? new Promise(() => {}) : written;
      },
    };
    void start({ store: dead, clock: platform.clock }).create(INPUT, keyed('key-1'));
    await platform.clock.advance(0);
    const [user] = await users();
    expect((await create(INPUT, keyed('key-1'))).body.code).toBe('in_progress');
    await platform.clock.advance(10_000);
    const { status, body } = await create(INPUT, keyed('key-1'));
    expect([status, body]).toEqual([201, { id: user?.value.id, createdAt: user?.value.createdAt }]);
    expect((await create(INPUT, keyed('key-2'))).body.code).toBe('user_exists');
  });

  test('with another body is a mismatch', async () => {
    const { create } = start();
    await create(INPUT, keyed('key-1'));
    const { status, body } = await create({ ...INPUT, username: 'user-2' }, keyed('key-1'));
    expect([status, body.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('without a key is a second wish', async () => {
    const { create } = start();
    await create();
    expect((await create()).body.code).toBe('user_exists');
  });
});

describe('refused is', () => {
  test.each([
    ['no username', { email: INPUT.email }, '/username'],
    ['an empty username', { ...INPUT, username: '' }, '/username'],
    ['a username of spaces', { ...INPUT, username: '   ' }, '/username'],
    ['a username of 101 characters', { ...INPUT, username: 'a'.repeat(101) }, '/username'],
    ['a line end', { ...INPUT, username: 'user\nadmin' }, '/username'],
    ['a NUL', { ...INPUT, username: 'user\u0000' }, '/username'],
    ['a line separator', { ...INPUT, username: 'user\u2028admin' }, '/username'],
    ['a turned writing direction', { ...INPUT, username: 'user\u202eadmin' }, '/username'],
    ['no address', { username: 'user-1' }, '/email'],
    ['two addresses', { ...INPUT, email: 'a@example.com,b@example.com' }, '/email'],
    ['a second header', { ...INPUT, email: 'a@example.com\nBcc: b@example.com' }, '/email'],
    ['a list', { ...INPUT, email: [INPUT.email] }, '/email'],
  ])('%s', async (_, input, pointer) => {
    const { create, users } = start();
    const { status, body } = await create(input);
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_input', pointer]);
    expect(await users()).toEqual([]);
  });
});

test.each(['Zoë Ñandú', '李小龍', 'a'.repeat(100), '👩🏽‍🚀'.repeat(20), 'x'])(
  'a name may be %p',
  async (username) => {
    const { create, users } = start();
    expect((await create({ ...INPUT, username })).status).toBe(201);
    expect((await users())[0]?.value.username).toBe(username);
  },
);

test('without the store nobody is created', async () => {
  const { platform, create } = start();
  await platform.store.close();
  for (const headers of [{}, keyed('key-1')]) {
    const { status, body } = await create(INPUT, headers);
    expect([status, body.code]).toEqual([503, 'store_unavailable']);
  }
});

test('is for the backend only', () => {
  expect(createUser.callers).toBe('backend');
});
