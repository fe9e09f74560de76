import { expect } from '@jest/globals';
import subscribeUser from '../../../functions/subscribe-user';
import type { Subscription } from '../../../functions/subscribe-user/subscription';
import type { RoutePattern } from '../../../shared/define';
import type { Handler } from '../../../shared/handler';
import type { Platform } from '../../../shared/platform';
import { type InvokeInit, invoke, testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';

export const DAY = 86_400_000;
export const TTL = 2 * DAY;
export const CONFIG = {
  SUBSCRIBE_USER_CONFIRM_TTL: TTL,
  SUBSCRIBE_USER_UNSUBSCRIBE_TTL: 365 * DAY,
};
export const ada = { email: 'ada@example.com' };

/** The function on a platform in memory, with a word for each of its routes. */
export const start = (overrides: Partial<Platform> = {}) => {
  const platform = testPlatform(overrides);
  const context = testContext();
  const routes: Readonly<Record<RoutePattern, Handler>> = subscribeUser.create(CONFIG, platform);
  const call = (route: RoutePattern, path: string, init: InvokeInit = {}) =>
    invoke(
      routes[route] as Handler,
      path,
      { method: route.split(' ')[0] as string, ...init },
      context,
    );
  return {
    platform,
    context,
    subscribe: (body: unknown, key?: string) =>
      call('POST /', '/', { body, headers: key === undefined ? {} : { 'idempotency-key': key } }),
    show: (path: string, init?: InvokeInit) => call('GET /confirm', path, init),
    confirm: (path: string, init?: InvokeInit) => call('POST /confirm', path, init),
    showUnsubscribe: (path: string, init?: InvokeInit) => call('GET /unsubscribe', path, init),
    unsubscribe: (path: string, init?: InvokeInit) => call('POST /unsubscribe', path, init),
    records: async () =>
      (await platform.store.list<Subscription>('subscribe-user/')).entries.map(
        ({ key, value, expiresAt }) => ({ key, expires: expiresAt !== undefined, ...value }),
      ),
  };
};
export type Suite = ReturnType<typeof start>;

const ROOT = 'http://localhost:8080/subscribe-user';

/** The path and query of the link in the newest mail. */
export const linkOf = ({ platform }: Suite): string => {
  const [url = ''] = /http:\/\/\S+/.exec(platform.mails.at(-1)?.text ?? '') ?? [];
  expect(url).toMatch(/^http:\/\/localhost:8080\/subscribe-user\/confirm\?token=[\w.-]+$/);
  return url.slice(ROOT.length);
};

/** The path and query by which one leaves, of the newest mail. */
export const wayOutOf = ({ platform }: Suite): string => {
  const url = platform.mails.at(-1)?.listUnsubscribe ?? '';
  expect(url).toMatch(/^http:\/\/localhost:8080\/subscribe-user\/unsubscribe\?token=[\w.-]+$/);
  return url.slice(ROOT.length);
};

/** What a mail program posts (RFC 8058 section 3.2), in each encoding of its. */
export const ONE_CLICK: Readonly<Record<'form' | 'multipart', InvokeInit>> = {
  form: {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  },
  multipart: {
    headers: { 'content-type': 'multipart/form-data; boundary=---FormBoundaryjWmhtjORrn' },
    body: [
      '-----FormBoundaryjWmhtjORrn',
      'Content-Disposition: form-data; name="List-Unsubscribe"',
      '',
      'One-Click',
      '-----FormBoundaryjWmhtjORrn--',
      '',
    ].join('\r\n'),
  },
};
