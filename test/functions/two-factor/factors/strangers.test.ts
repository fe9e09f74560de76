import { scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../../functions/two-factor/factors/base32';
import type { FactorRecord } from '../../../../functions/two-factor/factors/factor-record';
import { readRecoveryCode } from '../../../../functions/two-factor/factors/recovery';
import { totp } from '../../../../functions/two-factor/factors/totp';
import { systemRandom } from '../../../../shared/random';
import type { Store } from '../../../../shared/store/store';
import {
  digestOf,
  dump,
  enrolled,
  MAIL,
  PHONE,
  serveFactors,
  startFactors,
  withParts,
} from './harness';

const USER = digestOf('user-1');

describe('who has nothing, or is nobody', () => {
  /** A store that notes what it is asked for, without the names. */
  const noting = (store: Store) => {
    const asked: string[] = [];
    const note =
      <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
      (...args: A): R => {
        asked.push(`${name} ${String(args[0]).split('/').slice(0, 2).join('/')}`);
        return method(...args);
      };
    const noted: Store = {
      ...store,
      get: note('get', store.get) as Store['get'],
      compareAndSwap: note('swap', store.compareAndSwap) as Store['compareAndSwap'],
      delete: note('delete', store.delete),
    };
    return { noted, asked };
  };

  test('costs the store what a user with everything costs, whatever is asked', async () => {
    const { platform, factors, recoveryCodes } = await enrolled();
    await recoveryCodes();
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    await factors.enrolDestination('user-2', { channel: 'mail', to: MAIL });
    const { noted, asked } = noting(platform.store);
    const watched = serveFactors(withParts(platform, { store: noted })).factors;
    const traces: string[][] = [];
    for (const user of ['user-1', 'user-2', 'nobody']) {
      asked.length = 0;
      await watched.destination(user, 'auto');
      await watched.destination(user, 'sms');
      await watched.has(user);
      await watched.useTotp(digestOf(user), '000000');
      await watched.useRecoveryCode(digestOf(user), 'AAAAA-AAAAA');
      traces.push([...asked]);
    }
    expect(traces[0]).toHaveLength(10);
    for (const trace of traces) expect(trace).toEqual(traces[0]);
  });

  test('is never right, not even by the code of the stand-in', async () => {
    const bytes = new Uint8Array(64).fill(7);
    const random = { ...systemRandom, bytes: (count: number) => bytes.slice(0, count) };
    const { factors, platform } = startFactors({ random });
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    const code = totp(bytes.slice(0, 20), platform.clock.now());
    for (const user of ['user-1', 'nobody'])
      expect(await factors.useTotp(digestOf(user), code)).toBe(false);
  });

  test('costs a slow hash as well', async () => {
    const { factors, recoveryCodes } = startFactors();
    await recoveryCodes();
    const cost = async (userDigest: string) => {
      const before = process.cpuUsage();
      for (const letter of 'ABCDE') await factors.useRecoveryCode(userDigest, letter.repeat(10));
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const known = await cost(USER);
    const nobody = await cost(digestOf('nobody'));
    expect(nobody).toBeGreaterThan(known / 10);
    expect(nobody).toBeLessThan(known * 10);
  });

  test('shares no hash with another: two strangers who try the same code at once take two', async () => {
    const { factors } = startFactors();
    const cost = async (users: readonly string[]) => {
      const before = process.cpuUsage();
      await Promise.all(
        users.map((user) => factors.useRecoveryCode(digestOf(user), 'AAAAA-AAAAA')),
      );
      return process.cpuUsage(before).user;
    };
    const same = await cost(Array<string>(60).fill('nobody'));
    const different = await cost(Array.from({ length: 60 }, (_, i) => `nobody-${i}`));
    expect(different).toBeGreaterThan(same * 5);
  });
});

describe('a copy of the store', () => {
  test('holds no secret, code, number, address or name, in no encoding', async () => {
    const { platform, factors, enrol, recoveryCodes, secret, code } = await enrolled();
    const codes = await recoveryCodes();
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    await factors.enrolDestination('user-1', { channel: 'mail', to: MAIL });
    const waiting = decodeBase32((await enrol()).secret) as Uint8Array;
    expect(await factors.useTotp(USER, code())).toBe(true);
    expect(await factors.useRecoveryCode(USER, codes[0] as string)).toBe(true);
    const copy = await dump(platform);
    for (const part of ['two-factor/user/', 'two-factor/factors/', 'two-factor/pending-totp/'])
      expect(copy).toContain(part);
    const { entries } = await platform.store.list<FactorRecord>('two-factor/factors/');
    const salt = Buffer.from(entries[0]?.value.recovery?.salt as string, 'base64url');
    const canaries = [
      ...[PHONE, MAIL, 'user-1', 'example', '2025550123'],
      ...[secret, waiting].map((bytes) => Buffer.from(bytes)),
      ...codes,
      ...codes.map((one) => readRecoveryCode(one) as string),
      ...codes.map((one) =>
        scryptSync(readRecoveryCode(one) as string, salt, 32, { N: 16_384, r: 8, p: 1 }),
      ),
    ].flatMap((canary) => {
      const bytes = Buffer.from(canary as Buffer);
      const texts = (['hex', 'base64', 'base64url'] as const).map((form) => bytes.toString(form));
      return [...texts, bytes.toString('utf8')];
    });
    expect(canaries.filter((canary) => copy.includes(canary))).toEqual([]);
  });
});
