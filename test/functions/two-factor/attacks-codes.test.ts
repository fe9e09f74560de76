/** A10, A21, A27, A28: old codes, odd codes, a stolen store, and comparisons that take their time from a secret. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type Challenge, LIFETIME, MAX_ATTEMPTS } from '../../../functions/two-factor/challenge';
import { macOf } from '../../../functions/two-factor/code';
import { createRecords } from '../../../functions/two-factor/records';
import { deriveKeys, type Key } from '../../../shared/keys';
import type { Entry } from '../../../shared/store/store';
import { countingKeys, lastCode, SMS, serve, start, withParts, wrongCodes } from './harness';

const OLD = 'an old test secret of at least 32 chars';
const NEW = 'a new test secret of at least 32 characters';

describe('a code that another has replaced', () => {
  test('A10: is wrong, and costs an attempt', async () => {
    const { platform, issue, resend, verify } = start();
    const { challenge } = (await issue()).body;
    const old = lastCode(platform);
    await platform.clock.advance(30_000);
    await resend(challenge);
    const fresh = lastCode(platform);
    expect(fresh).not.toBe(old);
    for (let i = 1; i < MAX_ATTEMPTS; i++) expect((await verify(challenge, old)).status).toBe(401);
    const record = await createRecords(platform).get(challenge);
    expect(record?.value.attempts).toBe(MAX_ATTEMPTS - 1);
    expect((await verify(challenge, fresh)).status).toBe(200);
  });

  test('A10: leaves its successor ten minutes, and not one more by asking again too soon', async () => {
    const { platform, issue, resend, verify } = start();
    const { challenge } = (await issue()).body;
    await platform.clock.advance(30_000);
    await resend(challenge);
    for (let i = 0; i < 10; i++) {
      await platform.clock.advance(1_000);
      expect((await resend(challenge)).status).toBe(429);
    }
    await platform.clock.advance(LIFETIME - 10_000);
    expect((await verify(challenge, lastCode(platform))).status).toBe(401);
  });
});

test.each([
  ['full-width digits', '１２３４５６'],
  ['Arabic digits', '١٢٣٤٥٦'],
  ['mathematical digits', '𝟏𝟐𝟑𝟒𝟓𝟔'],
  ['a zero-width space', '123\u200b456'],
  ['five digits', '12345'],
  ['seven digits', '1234567'],
  ['a sign', '+123456'],
  ['a fraction', '123456.0'],
  ['hexadecimal', '0x1e240'],
  ['a number', 123456],
  ['a number with a zero before it', 12345],
  ['true', true],
  ['null', null],
  ['a list', ['123456']],
  ['a list of all', Array.from({ length: 1_000 }, (_, i) => String(i).padStart(6, '0'))],
  ['an object', { $ne: '' }],
  ['an object that says it is text', { toString: '123456', length: 6 }],
  ['nothing', ''],
  ['a very long text', '1'.repeat(10_000)],
])('A21: %s for a code is 400, compared with nothing, and costs no attempt', async (_, code) => {
  const { keys, counter } = countingKeys();
  const { platform, issue, call } = start({ keys });
  const { challenge } = (await issue()).body;
  counter.macs = 0;
  const { status, body } = await call('/verify', { body: { challenge, code } });
  expect([status, body.code]).toEqual([400, 'invalid_input']);
  expect(counter.macs).toBe(0);
  expect((await createRecords(platform).get(challenge))?.value.attempts).toBe(0);
});

describe('a stolen store', () => {
  /** All of it, and of one challenge what its code's MAC is made of. */
  const steal = async () => {
    const suite = start({ keys: deriveKeys(OLD) });
    const { challenge } = (await suite.issue()).body;
    const { entries } = await suite.platform.store.list<Record<string, string>>('');
    const record = (await createRecords(suite.platform).get(challenge)) as Entry<Challenge>;
    const { user, purpose, destination } = record.value;
    const made = entries.find(({ key }) => key.startsWith('two-factor/code/'))?.value.mac as string;
    return { ...suite, entries, made, binding: { challenge, user, purpose, destination } };
  };
  const codes = function* () {
    for (let n = 0; n < 1_000_000; n++) yield String(n).padStart(6, '0');
  };

  test('A27: a million codes tried with every text in it for a key match nothing; with our key one does', async () => {
    const { platform, entries, made, binding } = await steal();
    const own = deriveKeys(OLD)('two-factor code').current;
    const code = lastCode(platform);
    expect(macOf(own, binding, code)).toBe(made);

    // All codes under one key that anybody could think of, and the right code under each text of the store.
    const empty: Key = { id: '', bytes: Buffer.alloc(32) };
    let matches = 0;
    let tries = 0;
    for (const one of codes()) {
      tries += 1;
      if (macOf(empty, binding, one) === made) matches += 1;
    }
    const texts = new Set(
      entries.flatMap(({ key, value }) => [key, ...JSON.stringify(value).split(/[",:{}[\]]+/)]),
    );
    expect(texts.size).toBeGreaterThan(50);
    for (const text of texts)
      for (const encoding of ['utf8', 'base64url', 'hex'] as const) {
        tries += 1;
        if (macOf({ id: '', bytes: Buffer.from(text, encoding) }, binding, code) === made)
          matches += 1;
      }
    expect([tries > 1_000_000, matches]).toEqual([true, 0]);
  }, 120_000);

  test('A27: nor does any plain hash of a code, alone or with what stands beside it', async () => {
    const { entries, made, platform, binding } = await steal();
    const code = lastCode(platform);
    const dump = JSON.stringify(entries);
    const { challenge, user, purpose, destination } = binding;
    for (const before of ['', challenge, user, `${challenge}${user}${purpose}${destination}`])
      for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512'])
        for (const encoding of ['hex', 'base64', 'base64url'] as const) {
          const digest = createHash(algorithm).update(`${before}${code}`).digest(encoding);
          expect([dump.includes(digest), digest === made]).toEqual([false, false]);
        }
    expect(dump).not.toContain(code);
  });

  test('A27: a code of before a rotation verifies until it expires, and not a moment longer', async () => {
    for (const [age, status] of [
      [LIFETIME - 1, 200],
      [LIFETIME, 401],
    ] as const) {
      const { platform, issue } = start({ keys: deriveKeys(OLD) });
      const { challenge } = (await issue(SMS)).body;
      const rotated = serve(withParts(platform, { keys: deriveKeys(`${NEW},${OLD}`) }));
      await platform.clock.advance(age);
      const [wrong] = wrongCodes(lastCode(platform), 1) as [string];
      expect((await rotated.verify(challenge, wrong)).status).toBe(401);
      expect((await rotated.verify(challenge, lastCode(platform))).status).toBe(status);
    }
  });
});

describe('comparisons', () => {
  const SECRET = /(?:^|\.)(?:macs?|made|hash(?:es)?|signature|secret|code|token|otp|given)$/;
  /** A word, a constant, or that there is none. */
  const PUBLIC = /^(?:undefined|null|['"`].*|\d+|[A-Z][A-Z_]*)$/;
  /** Sealed texts, whose bytes are in the store already: which of two it is tells nothing. */
  const SEALED = /^(?:entry|renewed)\b/;

  const plainlyCompared = (text: string): string[] =>
    [...text.matchAll(/([\w.?[\]]+)\s*[!=]==?\s*([\w.?'"`[\]]+)/g)].flatMap(
      ([comparison, ...sides]) => {
        const isOpen = sides.some((side) => PUBLIC.test(side)) || SEALED.test(comparison);
        return !isOpen && sides.some((side) => SECRET.test(side)) ? [comparison] : [];
      },
    );

  test('A28: no secret is compared by ===, which ends at the first difference', () => {
    const files = readdirSync('functions/two-factor', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `functions/two-factor/${file}`);
    const shared = ['keys', 'seal', 'token', 'callers'].map((name) => `shared/${name}.ts`);
    expect(files.length).toBeGreaterThan(30);
    const found = [...files, ...shared].flatMap((file) =>
      plainlyCompared(readFileSync(file, 'utf8')).map((comparison) => `${file}: ${comparison}`),
    );
    expect(found).toEqual([]);
  });

  test.each([
    'return made === macOf(key, binding, code);',
    'if (record.mac !== given) return false;',
    'const right = code === expected;',
    'if (left[i] === hash) return i;',
  ])('A28: which would be seen in %j', (line) => {
    expect(plainlyCompared(line)).toHaveLength(1);
  });

  test('A28: MACs are of one length, whatever the code', () => {
    const key = deriveKeys(OLD)('two-factor code').current;
    const binding = { challenge: 'c', user: 'u', purpose: 'p', destination: 'd' };
    const lengths = ['000000', '999999', '123456'].map((code) => macOf(key, binding, code).length);
    expect(new Set(lengths)).toEqual(new Set([43]));
  });
});
