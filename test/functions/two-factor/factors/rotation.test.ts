import { describe, expect, test } from '@jest/globals';
import { STEP, totp } from '../../../../functions/two-factor/factors/totp';
import { deriveKeys } from '../../../../shared/keys';
import { systemRandom } from '../../../../shared/random';
import { memoryStore } from '../../../../shared/store/memory';
import type { Store } from '../../../../shared/store/store';
import { testContext } from '../../../support/invoke';
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

describe('a new SECRET_KEY', () => {
  const OLD = 'an old test secret of at least 32 chars';
  const NEW = 'a new test secret of at least 32 characters';

  const known = async () => {
    const started = await enrolled(startFactors({ keys: deriveKeys(OLD) }));
    const codes = await started.recoveryCodes();
    await started.factors.enrolDestination('user-1', { channel: 'sms', to: PHONE });
    const under = (secrets: string) =>
      serveFactors(withParts(started.platform, { keys: deriveKeys(secrets) }));
    return { ...started, codes, under };
  };
  const ALL = { totp: true, recoveryCodes: 10, sms: true, mail: false };

  test('finds all, keeps all working, and after one look the old version may go', async () => {
    const { under, codes, code, clock } = await known();
    const both = under(`${NEW},${OLD}`);
    // A challenge of before names the user under the old version.
    expect(await both.factors.useTotp(digestOf('user-1', OLD), code())).toBe(true);
    await clock.advance(STEP);
    expect(await both.factors.has('user-1')).toEqual(ALL);
    const digest = digestOf('user-1', NEW);
    for (const { factors } of [both, under(NEW)]) {
      expect(await factors.has('user-1')).toMatchObject({ totp: true, sms: true });
      expect(await factors.destination('user-1', 'auto')).toEqual({ channel: 'sms', to: PHONE });
      expect(await factors.useTotp(digest, code())).toBe(true);
      expect(await factors.useTotp(digest, code())).toBe(false);
      await clock.advance(STEP);
      expect(await factors.useRecoveryCode(digest, codes.pop() as string)).toBe(true);
    }
    expect((await under(NEW).factors.has('user-1')).recoveryCodes).toBe(8);
  });

  test.each(['has', 'destination'] as const)('needs one look only, by %s', async (look) => {
    const { under, codes, code } = await known();
    const { factors } = under(`${NEW},${OLD}`);
    await (look === 'has' ? factors.has('user-1') : factors.destination('user-1', 'auto'));
    const later = under(NEW).factors;
    expect(await later.has('user-1')).toEqual(ALL);
    expect(await later.destination('user-1', 'auto')).toEqual({ channel: 'sms', to: PHONE });
    expect(await later.useTotp(digestOf('user-1', NEW), code())).toBe(true);
    expect(await later.useRecoveryCode(digestOf('user-1', NEW), codes[0] as string)).toBe(true);
  });

  test('writes nothing when there is nothing to bring under it', async () => {
    const { under, platform } = await known();
    await under(`${NEW},${OLD}`).factors.has('user-1');
    const before = await dump(platform);
    const { factors } = under(`${NEW},${OLD}`);
    await factors.has('user-1');
    await factors.destination('user-1', 'auto');
    expect(await dump(platform)).toBe(before);
  });

  test('is a new key for nothing that was used up: old and new processes at once have one record', async () => {
    const { under, factors, codes, code } = await known();
    const both = under(`${NEW},${OLD}`).factors;
    const [oldDigest, newDigest] = [digestOf('user-1', OLD), digestOf('user-1', NEW)];
    const outcomes = await Promise.all([
      ...Array.from({ length: 20 }, () => factors.useTotp(oldDigest, code())),
      ...Array.from({ length: 20 }, async () => {
        await both.has('user-1');
        return both.useTotp(newDigest, code());
      }),
    ]);
    expect(outcomes.filter((right) => right)).toHaveLength(1);
    const [used = ''] = codes;
    expect(await both.useRecoveryCode(newDigest, used)).toBe(true);
    expect(await factors.useRecoveryCode(oldDigest, used)).toBe(false);
  });

  test('lets first enrolments by processes of before and after meet in one record', async () => {
    const clock = manualClock();
    const slow = memoryStore({ clock });
    const jitter = async () => {
      for (let turns = systemRandom.below(4); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
    };
    const store: Store = {
      ...slow,
      get: (key) => jitter().then(() => slow.get(key)),
      compareAndSwap: (...args) => jitter().then(() => slow.compareAndSwap(...args)),
    };
    const a = startFactors({ store, keys: deriveKeys(OLD) }).factors;
    const b = startFactors({ store, keys: deriveKeys(`${NEW},${OLD}`) }).factors;
    for (let i = 0; i < 100; i++) {
      const user = `user-${i}`;
      await Promise.all([
        a.enrolDestination(user, { channel: 'sms', to: PHONE }),
        b.enrolDestination(user, { channel: 'mail', to: MAIL }),
      ]);
      expect(await b.has(user)).toMatchObject({ sms: true, mail: true });
      expect(await a.has(user)).toMatchObject({ sms: true, mail: true });
    }
  });

  test('without the old one and without that look finds nobody', async () => {
    const { under, code, codes } = await known();
    const { factors } = under(NEW);
    for (const digest of [digestOf('user-1', OLD), digestOf('user-1', NEW)]) {
      expect(await factors.useTotp(digest, code())).toBe(false);
      expect(await factors.useRecoveryCode(digest, codes[0] as string)).toBe(false);
    }
    expect(await factors.destination('user-1', 'auto')).toBeUndefined();
  });

  test('that cannot read what is there says so to the log, and asks for no less than that', async () => {
    const { platform, code, codes } = await known();
    const digests = deriveKeys(OLD);
    const keys = (label: string) =>
      label === 'two-factor digest' ? digests(label) : deriveKeys(NEW)(label);
    const { log, lines } = testContext();
    const bytes = new Uint8Array(64).fill(7);
    const random = { ...systemRandom, bytes: (count: number) => bytes.slice(0, count) };
    const { factors } = serveFactors(withParts(platform, { keys, log, random }));
    expect(await factors.has('user-1')).toEqual({ ...ALL, recoveryCodes: 0 });
    expect(await factors.destination('user-1', 'sms')).toBeUndefined();
    // Not even what is right for the stand-in.
    for (const guess of [code(), totp(bytes.slice(0, 20), platform.clock.now())])
      expect(await factors.useTotp(digestOf('user-1', OLD), guess)).toBe(false);
    expect(await factors.useRecoveryCode(digestOf('user-1', OLD), codes[0] as string)).toBe(false);
    expect(lines).toContainEqual({
      severity: 'warn',
      message: 'factor_not_readable',
      fields: { factor: 'sms' },
    });
  });
});
