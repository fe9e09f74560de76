import twoFactor from '../../../functions/two-factor';
import { problem } from '../../../shared/http/response';
import { routeTo } from '../../../shared/http/routes';
import { deriveKeys, type Keys } from '../../../shared/keys';
import type { Platform } from '../../../shared/platform';
import { type Random, systemRandom } from '../../../shared/random';
import { type InvokeInit, invoke, testContext } from '../../support/invoke';
import { type TestPlatform, testPlatform } from '../../support/test-platform';

export const PHONE = '+12025550123';
export const MAIL = 'user@example.com';

/** The function on a platform, with its failures as the host shows them, and all it ever said. */
export const start = (
  overrides: Partial<Platform> = {},
  config: { TWO_FACTOR_COUNTRIES?: readonly string[] } = {},
) => {
  const platform = testPlatform(overrides);
  return { platform, ...serve(platform, config) };
};

/** The same platform with other parts. */
export const withParts = (platform: TestPlatform, parts: Partial<Platform>): TestPlatform =>
  Object.assign(Object.create(platform) as TestPlatform, parts);

/** Codes in turn, from the one given. */
export const codesFrom = (first: number): Random => {
  let next = first;
  return { ...systemRandom, below: () => next++ };
};

export const serve = (
  platform: TestPlatform,
  config: { TWO_FACTOR_COUNTRIES?: readonly string[] } = {},
) => {
  const handler = routeTo(
    twoFactor.create({ TWO_FACTOR_COUNTRIES: config.TWO_FACTOR_COUNTRIES }, platform),
  );
  const context = testContext();
  const said: string[] = [];
  const call = async (path: string, init: InvokeInit) => {
    const response = await invoke(handler, path, { method: 'POST', ...init }, context).catch(
      (thrown: unknown) => problem(thrown, context.id),
    );
    const text = await response.text();
    said.push(text);
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  return {
    call,
    said,
    lines: context.lines,
    issue: (body: unknown = { user: 'user-1', phoneNumber: PHONE }, key?: string) =>
      call('/', { body, ...(key !== undefined && { headers: { 'idempotency-key': key } }) }),
    verify: (challenge: string, code: string, more: object = {}) =>
      call('/verify', { body: { challenge, code, ...more } }),
  };
};

/** The code in the last message. */
export const lastCode = ({ messages, mails }: TestPlatform): string =>
  /\b\d{6}\b/.exec((messages.at(-1) ?? mails.at(-1))?.text ?? '')?.[0] ?? 'none';

/** Other codes than this one, all different. */
export const wrongCodes = (code: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    String((Number(code) + i + 1) % 1_000_000).padStart(6, '0'),
  );

/** Keys that count how often a code's MAC is computed. */
export const countingKeys = () => {
  const derived = deriveKeys('a test secret of at least 32 characters');
  const counter = { macs: 0 };
  const keys: Keys = (label) => {
    const ring = derived(label);
    if (label !== 'two-factor code') return ring;
    const key = {
      id: ring.current.id,
      get bytes() {
        counter.macs += 1;
        return ring.current.bytes;
      },
    };
    return { current: key, all: [key] };
  };
  return { keys, counter };
};
