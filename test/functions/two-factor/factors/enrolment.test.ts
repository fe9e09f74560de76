import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../../functions/two-factor/factors/base32';
import { FACTOR_SETTINGS } from '../../../../functions/two-factor/factors/factors';
import { PENDING_LIFETIME } from '../../../../functions/two-factor/factors/pending';
import { hotp, STEP, stepAt, totp } from '../../../../functions/two-factor/factors/totp';
import { readConfig } from '../../../../shared/config';
import { memoryStore } from '../../../../shared/store/memory';
import type { Store } from '../../../../shared/store/store';
import { manualClock } from '../../../support/manual-clock';
import { PEERS_TIMEOUT, providePeers } from '../../../support/peers';
import { digestOf, dump, serveFactors, startFactors, withParts } from './harness';

const USER = digestOf('user-1');
const FAR = 100 * STEP;

const bytesOf = ({ secret }: { secret: string }): Uint8Array => decodeBase32(secret) as Uint8Array;

/** Codes that are right at no step of the window. */
const wrongCodes = (secret: Uint8Array, now: number, count: number): string[] => {
  const right = [-1, 0, 1].map((n) => hotp(secret, stepAt(now) + n));
  const all = Array.from({ length: count + 3 }, (_, i) => String(100_000 + i));
  return all.filter((code) => !right.includes(code)).slice(0, count);
};

describe('the picture', () => {
  let jsqr: (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null;
  beforeAll(async () => {
    jsqr = (await providePeers('totp'))('jsqr');
  }, PEERS_TIMEOUT);

  /** What a camera sees of an SVG of squares. */
  const read = (qr: string): string | undefined => {
    const [, base64 = ''] = /^data:image\/svg\+xml;base64,([\w+/]+=*)$/.exec(qr) ?? [];
    const svg = Buffer.from(base64, 'base64').toString();
    const [, side = ''] = /^<svg xmlns="[^"]+" viewBox="0 0 (\d+) \1">/.exec(svg) ?? [];
    const scale = 4;
    const width = Number(side) * scale;
    const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
    for (const [, x, y] of svg.matchAll(/M(\d+),(\d+)h1v1h-1z/g))
      for (let i = 0; i < scale * scale; i++) {
        const at = (Number(y) * scale + Math.floor(i / scale)) * width + Number(x) * scale;
        pixels.fill(0, (at + (i % scale)) * 4, (at + (i % scale)) * 4 + 3);
      }
    return jsqr(pixels, width, width)?.data;
  };

  test.each([
    ['short names', {}],
    ['long names', { account: `${'a'.repeat(240)}@example.com`, issuer: 'B'.repeat(64) }],
    ['names of many scripts', { account: 'ユーザー名前 Пользователь', issuer: 'Ünïcode 😀 بنك' }],
  ])('shows the URL, with %s', async (_, names) => {
    const { url, qr } = await startFactors().enrol('user-1', names);
    expect(read(qr)).toBe(url);
  });

  test('is never asked to hold more than it can', async () => {
    const { call, platform } = startFactors();
    const names = { account: '😀'.repeat(254), issuer: 'B' };
    const { status, body } = await call('/totp', { user: 'user-1', ...names });
    expect([status, body.code]).toEqual([400, 'invalid_input']);
    expect(await dump(platform)).toBe('[]');
    const user = '😀'.repeat(200);
    expect(read((await startFactors().enrol(user)).qr)).toContain('otpauth://totp/');
  });
});

describe('POST /totp', () => {
  test('gives a secret of 160 bits, its URL and picture, once', async () => {
    const { call } = startFactors();
    const { status, headers, body } = await call('/totp', { user: 'user-1' });
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(Object.keys(body)).toEqual(['secret', 'url', 'qr']);
    expect(body.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(body.url).toBe(
      `otpauth://totp/localhost:user-1?secret=${body.secret}&issuer=localhost&algorithm=SHA1&digits=6&period=30`,
    );
    const again = (await call('/totp', { user: 'user-1' })).body;
    expect(again.secret).not.toBe(body.secret);
  });

  test('names who asks, else the setting, else the host of PUBLIC_URL', async () => {
    const issuerOf = ({ url }: { url: string }) => new URL(url).searchParams.get('issuer');
    const publicUrl = () => 'https://login.example.com:8443/base';
    expect(issuerOf(await startFactors({ publicUrl }).enrol())).toBe('login.example.com');
    const set = startFactors({ publicUrl }, { issuer: 'Example Bank' });
    expect(issuerOf(await set.enrol())).toBe('Example Bank');
    const { url } = await set.enrol('user-1', { issuer: 'Other & Sons', account: 'a b' });
    expect(url).toContain('otpauth://totp/Other%20%26%20Sons:a%20b?');
    const v6 = startFactors({ publicUrl: () => 'http://[::1]:8080' });
    const [, label] = /^otpauth:\/\/totp\/([^?]+)/.exec((await v6.enrol('urn:user:1')).url) ?? [];
    expect(decodeURIComponent(label as string)).toBe('[..1]:urn.user.1');
  });

  test('is good for nothing before it is confirmed', async () => {
    const { factors, platform, enrol } = startFactors();
    const secret = bytesOf(await enrol());
    expect(await factors.useTotp(USER, totp(secret, platform.clock.now()))).toBe(false);
    expect((await factors.has('user-1')).totp).toBe(false);
  });

  test('voids the secret that waited before it', async () => {
    const { platform, enrol, confirm } = startFactors();
    const first = bytesOf(await enrol());
    const second = bytesOf(await enrol());
    const now = platform.clock.now();
    expect(await confirm(totp(first, now))).toBe(401);
    expect(await confirm(totp(second, now))).toBe(200);
  });

  test('leaves the confirmed one in force until the new one is confirmed', async () => {
    const { factors, platform, enrol, confirm } = startFactors();
    const { clock } = platform;
    const first = bytesOf(await enrol());
    expect(await confirm(totp(first, clock.now()))).toBe(200);
    await clock.advance(STEP);
    const second = bytesOf(await enrol());
    expect(await factors.useTotp(USER, totp(second, clock.now()))).toBe(false);
    expect(await factors.useTotp(USER, totp(first, clock.now()))).toBe(true);
    await clock.advance(STEP);
    expect(await confirm(totp(second, clock.now()))).toBe(200);
    await clock.advance(STEP);
    expect(await factors.useTotp(USER, totp(first, clock.now()))).toBe(false);
    expect(await factors.useTotp(USER, totp(second, clock.now()))).toBe(true);
  });
});

describe('POST /totp/confirm', () => {
  test('says so, and has used the step up', async () => {
    const { call, factors, platform, enrol } = startFactors();
    const secret = bytesOf(await enrol());
    const code = totp(secret, platform.clock.now());
    const { status, headers, body } = await call('/totp/confirm', { user: 'user-1', code });
    expect([status, body]).toEqual([200, { status: 'confirmed' }]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await factors.has('user-1')).toMatchObject({ totp: true });
    expect(await factors.useTotp(USER, code)).toBe(false);
    await platform.clock.advance(STEP);
    expect(await factors.useTotp(USER, totp(secret, platform.clock.now()))).toBe(true);
  });

  test('takes five tries: right as the fifth, too late as the sixth', async () => {
    for (const [wrong, status] of [
      [4, 200],
      [5, 401],
    ] as const) {
      const { platform, enrol, confirm } = startFactors();
      const secret = bytesOf(await enrol());
      const now = platform.clock.now();
      for (const code of wrongCodes(secret, now, wrong)) expect(await confirm(code)).toBe(401);
      expect(await confirm(totp(secret, now))).toBe(status);
    }
  });

  test('of 500 tries at once counts five, and lets the right one win amid four wrong ones', async () => {
    const { platform, enrol, confirm, factors } = startFactors();
    const now = platform.clock.now();
    for (let round = 0; round < 50; round++) {
      const user = `user-${round}`;
      const secret = bytesOf(await enrol(user));
      const codes = wrongCodes(secret, now, 4);
      codes.splice(round % 5, 0, totp(secret, now));
      const statuses = await Promise.all(codes.map((code) => confirm(code, user)));
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect((await factors.has(user)).totp).toBe(true);
    }
    const secret = bytesOf(await enrol('user-x'));
    await Promise.all(wrongCodes(secret, now, 500).map((code) => confirm(code, 'user-x')));
    const { entries } = await platform.store.list<{ tries: number }>('two-factor/pending-totp/');
    expect(entries.map(({ value }) => value.tries)).toEqual([5]);
  });

  test('of 500 right ones at once confirms one, and the step does not come back', async () => {
    const { platform, enrol, confirm, factors } = startFactors();
    const secret = bytesOf(await enrol());
    const code = totp(secret, platform.clock.now());
    const statuses = await Promise.all(Array.from({ length: 500 }, () => confirm(code)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(await factors.useTotp(USER, code)).toBe(false);
  });

  test('confirms nothing that was enrolled anew while the code was compared', async () => {
    const { platform, enrol, factors } = startFactors();
    const secret = bytesOf(await enrol());
    let happened = false;
    const store: Store = {
      ...platform.store,
      delete: async (key, version) => {
        if (!happened) {
          happened = true;
          await enrol();
        }
        return platform.store.delete(key, version);
      },
    };
    const late = serveFactors(withParts(platform, { store }));
    expect(await late.confirm(totp(secret, platform.clock.now()))).toBe(401);
    expect((await factors.has('user-1')).totp).toBe(false);
  });

  test.each(['ours', "the store's"])('has fifteen minutes by %s clock', async (whose) => {
    for (const [age, status] of [
      [PENDING_LIFETIME - 1, 200],
      [PENDING_LIFETIME, 401],
    ] as const) {
      const [ours, theirs] = [manualClock(), manualClock()];
      const store = memoryStore({ clock: theirs });
      const { enrol, confirm } = startFactors({ store, clock: ours });
      const secret = bytesOf(await enrol());
      // A try does not make it live longer.
      await confirm('000000');
      await (whose === 'ours' ? ours : theirs).advance(age);
      expect(await confirm(totp(secret, ours.now()))).toBe(status);
    }
  });

  test('fails the same to the byte, whatever the reason', async () => {
    const { platform, call, enrol, confirm } = startFactors();
    const { clock } = platform;
    const seen = new Set<string>();
    const note = async (user: string, code: string) => {
      const { status, text, headers } = await call('/totp/confirm', { user, code });
      expect(status).toBe(401);
      seen.add(JSON.stringify([text, [...headers.entries()]]));
    };
    await note('nobody', '123456');
    const secret = bytesOf(await enrol());
    const [wrong = ''] = wrongCodes(secret, clock.now(), 1);
    await note('user-1', wrong);
    const code = totp(secret, clock.now());
    expect(await confirm(code)).toBe(200);
    await note('user-1', code);
    const late = bytesOf(await enrol('user-2'));
    await clock.advance(FAR);
    await note('user-2', totp(late, clock.now()));
    const exhausted = bytesOf(await enrol('user-3'));
    for (const one of wrongCodes(exhausted, clock.now(), 5)) await note('user-3', one);
    await note('user-3', totp(exhausted, clock.now()));
    expect(seen.size).toBe(1);
    expect([...seen][0]).toContain('verification_failed');
  });
});

describe('POST /recovery-codes', () => {
  test('gives ten codes, once', async () => {
    const { call, factors } = startFactors();
    const { status, headers, body } = await call('/recovery-codes', { user: 'user-1' });
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(Object.keys(body)).toEqual(['codes']);
    expect(new Set(body.codes).size).toBe(10);
    for (const code of body.codes) expect(await factors.useRecoveryCode(USER, code)).toBe(true);
  });
});

describe('what is refused', () => {
  const LONG = 'a'.repeat(255);
  test.each([
    ['no object', '/totp', [], ''],
    ['no user', '/totp', {}, '/user'],
    ['an empty user', '/totp', { user: '' }, '/user'],
    ['a number for a user', '/totp', { user: 1 }, '/user'],
    ['a list for a user', '/totp', { user: ['user-1'] }, '/user'],
    ['a user of 201 letters', '/totp', { user: 'a'.repeat(201) }, '/user'],
    ['a colon in an account', '/totp', { user: 'u', account: 'a:b' }, '/account'],
    ['a colon in an issuer', '/totp', { user: 'u', issuer: 'a:b' }, '/issuer'],
    ['a line end in an issuer', '/totp', { user: 'u', issuer: 'a\nb' }, '/issuer'],
    ['NUL in an account', '/totp', { user: 'u', account: 'a\0' }, '/account'],
    ['an empty issuer', '/totp', { user: 'u', issuer: '' }, '/issuer'],
    ['a long account', '/totp', { user: 'u', account: LONG }, '/account'],
    ['a long issuer', '/totp', { user: 'u', issuer: LONG }, '/issuer'],
    ['a secret of their own', '/totp', { user: 'u', secret: 'AAAA' }, '/secret'],
    ['no code', '/totp/confirm', { user: 'u' }, '/code'],
    ['seven digits', '/totp/confirm', { user: 'u', code: '1234567' }, '/code'],
    ['a number for a code', '/totp/confirm', { user: 'u', code: 123456 }, '/code'],
    ['full-width digits', '/totp/confirm', { user: 'u', code: '１２３４５６' }, '/code'],
    ['a line end behind a code', '/totp/confirm', { user: 'u', code: '123456\n' }, '/code'],
    ['codes of their own', '/recovery-codes', { user: 'u', codes: [] }, '/codes'],
  ])('%s', async (_, path, body, pointer) => {
    const { call, platform } = startFactors();
    const answer = await call(path, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_input']);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(await dump(platform)).toBe('[]');
  });

  test.each([
    ['/totp', { user: 'user\ud800' }],
    ['/totp', { user: 'u', account: '\udc00' }],
    ['/recovery-codes', { user: '\ud800' }],
  ])('half a letter, which is the same in every digest: %s %j', async (path, body) => {
    const { call, platform } = startFactors();
    const answer = await call(path, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_json']);
    expect(await dump(platform)).toBe('[]');
  });

  test('malformed codes cost no try', async () => {
    const { platform, call, enrol, confirm } = startFactors();
    const secret = bytesOf(await enrol());
    for (let i = 0; i < 10; i++)
      expect((await call('/totp/confirm', { user: 'user-1', code: 'abcdef' })).status).toBe(400);
    expect(await confirm(totp(secret, platform.clock.now()))).toBe(200);
  });

  test('everything, without the store', async () => {
    const { platform, call } = startFactors();
    await platform.store.close();
    for (const [path, more] of [
      ['/totp', {}],
      ['/totp/confirm', { code: '123456' }],
      ['/recovery-codes', {}],
    ] as const) {
      const { status, body } = await call(path, { user: 'user-1', ...more });
      expect([status, body.code]).toEqual([503, 'store_unavailable']);
    }
  });
});

test('no line of the log and no failure names a secret, a code or a user', async () => {
  const { platform, lines, logged, enrol, confirm, call } = startFactors();
  const { secret, url } = await enrol('canary-user');
  const code = totp(decodeBase32(secret) as Uint8Array, platform.clock.now());
  const failed = (await call('/totp/confirm', { user: 'canary-user', code: '000000' })).text;
  await confirm(code, 'canary-user');
  const { codes } = (await call('/recovery-codes', { user: 'canary-user' })).body;
  const said = JSON.stringify([lines, logged, failed]);
  expect(said).toContain('factor_confirmed');
  for (const canary of ['canary', secret, url, code, '000000', ...codes])
    expect(said).not.toContain(canary);
});

test('TWO_FACTOR_ISSUER is a name that a URL can hold, and without a colon', () => {
  const read = (name: string) =>
    readConfig(FACTOR_SETTINGS, { TWO_FACTOR_ISSUER: name }, { production: true });
  expect(read('Beispiel-Bank AG').config.TWO_FACTOR_ISSUER).toBe('Beispiel-Bank AG');
  expect(read('').config.TWO_FACTOR_ISSUER).toBeUndefined();
  for (const name of ['a:b', 'a\nb', 'a'.repeat(65)]) expect(read(name).mistakes).toHaveLength(1);
});
