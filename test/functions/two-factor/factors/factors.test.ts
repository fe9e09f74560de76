import { describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../../functions/two-factor/factors/base32';
import type { FactorRecord } from '../../../../functions/two-factor/factors/factor-record';
import { hotp, STEP, stepAt, totp } from '../../../../functions/two-factor/factors/totp';
import { Failure } from '../../../../shared/failure';
import type { Store } from '../../../../shared/store/store';
import { manualClock } from '../../../support/manual-clock';
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

describe('a destination', () => {
  test('is where it was enrolled, by its channel; auto is SMS, else mail', async () => {
    const { factors } = startFactors();
    expect(await factors.destination('user-1', 'auto')).toBeUndefined();
    await factors.enrolDestination('user-1', { channel: 'mail', to: MAIL });
    const mail = { channel: 'mail', to: MAIL };
    expect(await factors.destination('user-1', 'auto')).toEqual(mail);
    expect(await factors.destination('user-1', 'sms')).toBeUndefined();
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    const sms = { channel: 'sms', to: PHONE };
    expect(await factors.destination('user-1', 'auto')).toEqual(sms);
    expect(await factors.destination('user-1', 'sms')).toEqual(sms);
    expect(await factors.destination('user-1', 'mail')).toEqual(mail);
    await factors.enrolDestination('user-1', { channel: 'sms', to: '+12025550199' });
    expect((await factors.destination('user-1', 'auto'))?.to).toBe('+12025550199');
    expect(await factors.destination('user-2', 'auto')).toBeUndefined();
  });

  test('that is known already is not written again', async () => {
    const { factors, platform } = startFactors();
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    const before = await dump(platform);
    await factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    expect(await dump(platform)).toBe(before);
  });

  test('takes nothing from the other factors', async () => {
    const { factors, recoveryCodes, code } = await enrolled();
    await recoveryCodes();
    await factors.enrolDestination('user-1', { channel: 'mail', to: MAIL });
    const all = { totp: true, recoveryCodes: 10, sms: false, mail: true };
    expect(await factors.has('user-1')).toEqual(all);
    expect(await factors.useTotp(USER, code())).toBe(true);
    expect(await factors.has('user-1')).toEqual(all);
    const none = { totp: false, recoveryCodes: 0, sms: false, mail: false };
    expect(await factors.has('user-2')).toEqual(none);
  });
});

describe('a code of an authenticator', () => {
  test('is right once, in any process and after any time (A9)', async () => {
    const { factors, platform, clock, code } = await enrolled();
    const used = code();
    expect(await factors.useTotp(USER, used)).toBe(true);
    const other = serveFactors(platform).factors;
    for (const one of [factors, other]) expect(await one.useTotp(USER, used)).toBe(false);
    await clock.advance(STEP);
    for (const one of [factors, other]) expect(await one.useTotp(USER, used)).toBe(false);
    expect(await other.useTotp(USER, code())).toBe(true);
  });

  test('is good one step before and after, to the millisecond (A11)', async () => {
    for (const [wait, right] of [
      [-1, false],
      [0, true],
      [3 * STEP - 1, true],
      [3 * STEP, false],
    ] as const) {
      const { factors, clock, secret } = await enrolled();
      // Far from the step that the confirmation has used.
      await clock.advance(10 * STEP - (clock.now() % STEP));
      const code = hotp(secret, stepAt(clock.now()) + 2);
      await clock.advance(STEP + wait);
      expect(await factors.useTotp(USER, code)).toBe(right);
    }
  });

  test('is over with all before it once one is used: a clock that goes back revives nothing (A11)', async () => {
    const started = await enrolled();
    const { factors, secret, clock, platform, code } = started;
    expect(await factors.useTotp(USER, code())).toBe(true);
    const step = stepAt(clock.now());
    for (const back of [0, 1, 2, 10, 1_000]) {
      const late = manualClock(clock.now() - back * STEP);
      const behind = serveFactors(withParts(platform, { clock: late })).factors;
      for (const one of [-1, 0, 1].map((n) => step - back + n).filter((n) => n <= step))
        expect(await behind.useTotp(USER, hotp(secret, one))).toBe(false);
    }
    expect(await factors.useTotp(USER, hotp(secret, step + 1))).toBe(true);
    expect(await factors.useTotp(USER, hotp(secret, step))).toBe(false);
  });

  test('is nothing for another user, nor when their record is given its secret', async () => {
    const { factors, platform, code, enrol, confirm, clock } = await enrolled();
    const theirs = decodeBase32((await enrol('user-2')).secret) as Uint8Array;
    expect(await confirm(totp(theirs, clock.now()), 'user-2')).toBe(200);
    await clock.advance(STEP);
    expect(await factors.useTotp(digestOf('user-2'), code())).toBe(false);
    const { store } = platform;
    const [a, b] = (await store.list<FactorRecord>('two-factor/factors/')).entries;
    if (!a?.value.totp || !b?.value.totp) throw new Error('two records must be stored');
    for (const { key, version, value } of [a, b]) {
      const other = value === a.value ? b.value : a.value;
      await store.compareAndSwap(key, version, other);
    }
    expect(await factors.useTotp(digestOf('user-2'), code())).toBe(false);
    expect(await factors.useTotp(USER, code())).toBe(false);
  });

  test.each(['', '12345', '1234567', '１２３４５６', ' 123456', '123456\n', '\0\0\0\0\0\0'])(
    'is not %j',
    async (code) => {
      const { factors } = await enrolled();
      expect(await factors.useTotp(USER, code)).toBe(false);
    },
  );

  test('is not used up when the store does not take it: nothing was right', async () => {
    const { platform, code } = await enrolled();
    const dead: Store = {
      ...platform.store,
      compareAndSwap: () => Promise.reject(new Failure('store_unavailable')),
    };
    const failing = serveFactors(withParts(platform, { store: dead })).factors;
    await expect(failing.useTotp(USER, code())).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });

  test('is unknown after so many lost races, and then nothing was right', async () => {
    const { platform, code } = await enrolled();
    let tries = 0;
    const busy: Store = {
      ...platform.store,
      compareAndSwap: async () => {
        tries += 1;
        return undefined;
      },
    };
    const late = serveFactors(withParts(platform, { store: busy })).factors;
    await expect(late.useTotp(USER, code())).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(tries).toBe(20);
  });
});

describe('a recovery code', () => {
  test('is good once, in any spelling, and one fewer is left (A12)', async () => {
    const { factors, platform, recoveryCodes } = startFactors();
    const codes = await recoveryCodes();
    for (const [i, code] of codes.entries()) {
      const typed = i % 2 === 0 ? code : ` ${code.toLowerCase().replace('-', ' ')}`;
      expect(await factors.useRecoveryCode(USER, typed)).toBe(true);
      expect(await factors.useRecoveryCode(USER, code)).toBe(false);
      expect(await serveFactors(platform).factors.useRecoveryCode(USER, code)).toBe(false);
      expect((await factors.has('user-1')).recoveryCodes).toBe(9 - i);
    }
  });

  test('of an old set is void', async () => {
    const { factors, recoveryCodes } = startFactors();
    const [old = ''] = await recoveryCodes();
    const [fresh = ''] = await recoveryCodes();
    expect(await factors.useRecoveryCode(USER, old)).toBe(false);
    expect((await factors.has('user-1')).recoveryCodes).toBe(10);
    expect(await factors.useRecoveryCode(USER, fresh)).toBe(true);
  });

  test('is nothing for another user, nor when their record is given the set', async () => {
    const { factors, platform, recoveryCodes } = startFactors();
    const [code = ''] = await recoveryCodes();
    await recoveryCodes('user-2');
    const their = digestOf('user-2');
    expect(await factors.useRecoveryCode(their, code)).toBe(false);
    const { store } = platform;
    const { entries } = await store.list<FactorRecord>('two-factor/factors/');
    const [a, b] = entries;
    if (!a || !b) throw new Error('two records must be stored');
    await store.compareAndSwap(a.key, a.version, b.value);
    await store.compareAndSwap(b.key, b.version, a.value);
    expect(await factors.useRecoveryCode(their, code)).toBe(false);
  });

  test('replaced while it was hashed is compared with the new set only', async () => {
    const { factors, platform, recoveryCodes } = startFactors();
    const [code = ''] = await recoveryCodes();
    let happened = false;
    const store: Store = {
      ...platform.store,
      compareAndSwap: async (key, version, value, options) => {
        if (!happened) {
          happened = true;
          await recoveryCodes();
        }
        return platform.store.compareAndSwap(key, version, value, options);
      },
    };
    const late = serveFactors(withParts(platform, { store })).factors;
    expect(await late.useRecoveryCode(USER, code)).toBe(false);
    expect((await factors.has('user-1')).recoveryCodes).toBe(10);
  });
});

test('without the store nothing is known and nothing is right', async () => {
  const { factors, platform, code, recoveryCodes } = await enrolled();
  const [recovery = ''] = await recoveryCodes();
  await platform.store.close();
  for (const act of [
    () => factors.destination('user-1', 'auto'),
    () => factors.enrolDestination('user-1', { channel: 'sms', to: PHONE }),
    () => factors.has('user-1'),
    () => factors.useTotp(USER, code()),
    () => factors.useRecoveryCode(USER, recovery),
    () => factors.useTotp(digestOf('nobody'), code()),
  ])
    await expect(act()).rejects.toMatchObject({ code: 'store_unavailable' });
});
