import twoFactor from '../../../functions/two-factor';
import { readConfig } from '../../../shared/config';
import { problem } from '../../../shared/http/response';
import { routeTo } from '../../../shared/http/routes';
import { deriveKeys, type Keys } from '../../../shared/keys';
import type { Platform } from '../../../shared/platform';
import { type Random, systemRandom } from '../../../shared/random';
import type { SendOptions, Sms } from '../../../shared/senders/sender';
import { type InvokeInit, invoke, testContext } from '../../support/invoke';
import { type TestPlatform, testPlatform } from '../../support/test-platform';

export const PHONE = '+12025550123';
export const MAIL = 'user@example.com';
export const SMS = { user: 'user-1', phoneNumber: PHONE };

/** As it would stand in the environment. */
export type Settings = Readonly<Record<string, string>>;

/** The function on a platform, with its failures as the host shows them, and all it ever said. */
export const start = (overrides: Partial<Platform> = {}, settings: Settings = {}) => {
  const platform = testPlatform(overrides);
  return { platform, ...serve(platform, settings) };
};

/** The same platform with other parts. */
export const withParts = (platform: TestPlatform, parts: Partial<Platform>): TestPlatform =>
  Object.assign(Object.create(platform) as TestPlatform, parts);

/** Codes in turn, from the one given. */
export const codesFrom = (first: number): Random => {
  let next = first;
  return { ...systemRandom, below: () => next++ };
};

export const configOf = (settings: Settings = {}) => {
  const { config, mistakes } = readConfig(twoFactor.config, settings, { production: false });
  if (mistakes.length > 0) throw new TypeError(mistakes.map(({ message }) => message).join());
  return config;
};

export const serve = (platform: TestPlatform, settings: Settings = {}) => {
  const handler = routeTo(twoFactor.create(configOf(settings), platform));
  const context = testContext();
  const said: string[] = [];
  /** With the work that goes on after the answer; `early` does not wait for that. */
  const call = async (path: string, init: InvokeInit & { readonly early?: boolean }) => {
    const { early, ...rest } = init;
    const response = await invoke(handler, path, { method: 'POST', ...rest }, context).catch(
      (thrown: unknown) => problem(thrown, context.id),
    );
    const text = await response.text();
    said.push(text);
    if (!early) await Promise.all(context.background.splice(0));
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  const keyed = (key: string | undefined) =>
    key === undefined ? {} : { headers: { 'idempotency-key': key } };
  return {
    call,
    said,
    context,
    lines: context.lines,
    issue: (body: unknown = SMS, key?: string) => call('/', { body, ...keyed(key) }),
    verify: (challenge: string, code: string, more: object = {}) =>
      call('/verify', { body: { challenge, code, ...more } }),
    resend: (challenge: string, more: object = {}, key?: string) =>
      call('/resend', { body: { challenge, ...more }, ...keyed(key) }),
    redeem: (token: string, more: object = {}) => call('/token', { body: { token, ...more } }),
  };
};

/** The code in a text of ours. */
export const codeIn = (text: string | undefined): string =>
  /\b\d{6}\b/.exec(text ?? '')?.[0] ?? 'none';

/** The code in the last message. */
export const lastCode = ({ messages, mails }: TestPlatform): string =>
  codeIn((messages.at(-1) ?? mails.at(-1))?.text);

/** Other codes than this one, all different. */
export const wrongCodes = (code: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    String((Number(code) + i + 1) % 1_000_000).padStart(6, '0'),
  );

/** A sender that does as it is told and keeps what it was given. */
export const scripted = (
  act: (sms: Sms & SendOptions, call: number) => Promise<void> | void = () => {},
) => {
  const calls: (Sms & SendOptions)[] = [];
  const sms: Platform['sms'] = async (message, options) => {
    calls.push({ ...message, ...options });
    await act({ ...message, ...options }, calls.length);
    return { id: `SM${String(calls.length).padStart(32, '0')}` };
  };
  return { sms, calls };
};

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
