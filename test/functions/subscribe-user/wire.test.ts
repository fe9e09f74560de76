/** Mailed by a real SMTP server's account, followed and posted over real sockets, on both hosts. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../../support/bundle';
import { type HostProcess, startHost } from '../../support/host-process';
import { type SmtpPeer, startSmtpPeer } from '../../support/smtp-peer';
import { ONE_CLICK } from './harness';

const PUBLIC = 'https://lists.example.com';

let smtp: SmtpPeer;
let host: HostProcess | undefined;
beforeAll(async () => {
  smtp = await startSmtpPeer();
});
afterEach(async () => {
  await host?.stop();
});
afterAll(() => smtp.close());

/** A field of the newest mail, which must be there once, unfolded as RFC 5322 section 2.2.3 says. */
const field = (name: string): string => {
  const { raw = '' } = smtp.mails.at(-1) ?? {};
  const lines = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n');
  expect(lines.every((line) => line.length <= 998)).toBe(true);
  const values = lines
    .join('\r\n')
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  expect(values).toHaveLength(1);
  return (values[0] as string).slice(name.length + 1).trim();
};

/** All URLs of the newest mail, in its header and its bodies. */
const linksOf = (): string[] => {
  const { raw = '' } = smtp.mails.at(-1) ?? {};
  const end = raw.indexOf('\r\n\r\n');
  const body = raw
    .slice(end)
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = raw.slice(0, end) + body;
  return [...new Set(text.match(/https:\/\/lists\.example\.com[^\s"<>]+/g) ?? [])];
};

describe.each(['node', 'functions-framework'])('on the %s host', (name) => {
  const file = bundle(`deploy/entry/${name}.ts`);

  test.each(['form', 'multipart'] as const)(
    'a mail says how to leave, a scanner cannot, and one click by %s does',
    async (encoding) => {
      host = await startHost({
        file,
        environment: {
          FUNCTION_TARGET: 'subscribe-user',
          SMTP_URL: smtp.url,
          MAIL_FROM: 'Lists <lists@example.com>',
          PUBLIC_URL: PUBLIC,
        },
      });
      const { url } = host;
      const before = smtp.mails.length;
      const subscribe = async () => {
        const answer = await fetch(`${url}/subscribe-user`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email: 'ada@example.com' }),
        });
        expect(answer.status).toBe(202);
      };
      const call = (link: string, init: RequestInit) =>
        fetch(link.replace(PUBLIC, url), { redirect: 'manual', ...init });

      await subscribe();
      expect(field('List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
      const leave = /^<(\S+)>$/.exec(field('List-Unsubscribe'))?.[1] as string;
      expect(leave).toMatch(
        /^https:\/\/lists\.example\.com\/subscribe-user\/unsubscribe\?token=[\w.-]+$/,
      );
      const links = linksOf();
      const confirm = links.find((link) => link.includes('/confirm?')) as string;
      expect(links.sort()).toEqual([confirm, leave]);

      for (let i = 0; i < 3; i++)
        for (const method of ['HEAD', 'GET'])
          for (const link of links) expect((await call(link, { method })).status).toBe(200);
      // Had a scanner unsubscribed, this would be void.
      expect((await call(confirm, { method: 'POST' })).status).toBe(200);

      const { headers = {}, body } = ONE_CLICK[encoding];
      const gone = await call(leave, { method: 'POST', headers, body: body as string });
      expect([gone.status, await gone.text()]).toEqual([200, '']);
      expect([gone.headers.get('location'), gone.headers.get('set-cookie')]).toEqual([null, null]);
      expect((await call(confirm, { method: 'POST' })).status).toBe(400);
      const bad = await call(`${leave}x`, { method: 'POST', headers, body: body as string });
      expect([bad.status, bad.headers.get('content-type')]).toEqual([
        400,
        'application/problem+json',
      ]);

      await subscribe();
      expect(smtp.mails).toHaveLength(before + 2);
      expect(linksOf()).not.toContain(confirm);
      const again = linksOf().find((link) => link.includes('/confirm?')) as string;
      expect((await call(again, { method: 'POST' })).status).toBe(200);
      expect(host.output()).not.toContain(leave.split('=')[1]);
    },
  );
});
