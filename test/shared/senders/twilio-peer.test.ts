/** The peer that stands for Twilio in the tests: as strict as the API's description, and nothing of ours in it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import twilio from 'twilio';
import { validateRequest } from 'twilio/lib/webhooks/webhooks';
import { startTwilioPeer, type TwilioPeer } from '../../support/twilio-peer';

let peer: TwilioPeer;
beforeEach(async () => {
  peer = await startTwilioPeer();
});
afterEach(() => peer.close());

const RIGHT = { To: '+4915112345678', From: '+14155550100', Body: 'x' };
const ask = async (
  form: Readonly<Record<string, string>> | string,
  {
    path = '',
    method = 'POST',
    headers = {},
  }: { path?: string; method?: string; headers?: object } = {},
) => {
  const { accountSid, authToken, url } = peer;
  const answer = await fetch(`${url}/2010-04-01/Accounts/${accountSid}/Messages.json${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
      ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(method === 'POST' && { body: new URLSearchParams(form).toString() }),
  });
  return { status: answer.status, ...((await answer.json()) as { code?: number; sid?: string }) };
};

describe('the peer that stands for Twilio', () => {
  test.each<[object, number, number]>([
    [{ To: undefined }, 400, 21604],
    [{ To: '' }, 400, 21604],
    [{ To: '4915112345678' }, 400, 21211],
    [{ To: '+49 151' }, 400, 21211],
    [{ From: undefined }, 400, 21603],
    [{ From: '+0' }, 400, 21212],
    [{ MessagingServiceSid: 'MG1' }, 400, 21701],
    [{ Body: undefined }, 400, 21602],
    [{ Body: 'x'.repeat(1601) }, 400, 21617],
    [{ StatusCallback: 'login.example.com' }, 400, 21609],
    [{ StatusCallback: 'https://log_in.example.com/' }, 400, 21609],
    [{ ValidityPeriod: 'long' }, 400, 20001],
    [{ SmartEncoded: 'perhaps' }, 400, 20001],
    [{ ContentRetention: 'forget' }, 400, 20001],
    [{ RiskCheck: 'no' }, 400, 20001],
    [{ ContentSid: 'HX1' }, 400, 20001],
    [{ Code: '482913' }, 400, 20001],
  ])('refuses %j', async (change, status, code) => {
    const form = Object.entries({ ...RIGHT, ...change }).filter(([, value]) => value !== undefined);
    expect(await ask(Object.fromEntries(form))).toMatchObject({ status, code });
    expect(peer.messages).toEqual([]);
  });

  test('refuses a parameter twice, other ways to ask, and strangers', async () => {
    const twice = `${new URLSearchParams(RIGHT)}&To=%2B14155550101`;
    expect(await ask(twice)).toMatchObject({ status: 400, code: 21211 });
    const json = { 'content-type': 'application/json' };
    expect(await ask(RIGHT, { headers: json })).toMatchObject({ status: 415 });
    expect(await ask(RIGHT, { headers: { authorization: 'Basic eDp5' } })).toMatchObject({
      status: 401,
      code: 20003,
    });
    expect(await ask(RIGHT, { path: '/x' })).toMatchObject({ status: 404, code: 20404 });
    expect(await ask(RIGHT, { method: 'DELETE' })).toMatchObject({ status: 405 });
    for (const query of [
      '?Too=%2B1',
      '?PageSize=0',
      '?PageSize=1001',
      '?DateSent%3E=soon',
      '?To=x',
    ])
      expect(await ask(RIGHT, { method: 'GET', path: query })).toMatchObject({
        status: 400,
        code: 20001,
      });
    expect(peer.messages).toEqual([]);
  });

  test("takes what Twilio's own library sends, and lists it", async () => {
    const { accountSid, authToken, url } = peer;
    const client = twilio(accountSid, authToken);
    client.api.baseUrl = url;
    const create = (to: string) =>
      client.messages.create({
        to,
        from: RIGHT.From,
        body: 'x',
        statusCallback: 'https://login.example.com/s',
        validityPeriod: 600,
        smartEncoded: false,
        contentRetention: 'retain',
        sendAt: new Date(),
        scheduleType: 'fixed',
        mediaUrl: ['https://example.com/a', 'https://example.com/b'],
      });
    const sent = [await create('+4915112345678'), await create('+4915112345679')];
    for (let i = 0; i < 5; i++) await create('+4915112345678');
    peer.become(sent[0]?.sid as string, 'undelivered', 30003);
    const listed = await client.messages.list({ to: '+4915112345678', pageSize: 2 });
    expect(listed).toHaveLength(6);
    expect(listed.at(-1)).toMatchObject({
      sid: sent[0]?.sid,
      status: 'undelivered',
      errorCode: 30003,
    });
    const yesterday = new Date(Date.now() - 86_400_000);
    expect(await client.messages.list({ dateSentBefore: yesterday })).toEqual([]);
    expect(await client.messages.list({ dateSentAfter: yesterday })).toHaveLength(7);
  });

  test("signs a status so that Twilio's own library takes it, whatever host it is sent to", async () => {
    const asked: { url: string; host: string; signature: string; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      const { host = '', 'x-twilio-signature': signature } = request.headers;
      asked.push({ url: request.url ?? '', host, signature: String(signature), body });
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const via = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const StatusCallback = 'https://login.example.com/status?c=1&n=2';
    const { sid = '' } = await ask({ ...RIGHT, StatusCallback });
    expect(await peer.callback(sid, 'sent', { via })).toEqual({ status: 204, body: '' });
    await peer.callback(sid, 'undelivered', { via, host: 'evil.example.net', errorCode: 30003 });
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(asked.map(({ host }) => host)).toEqual(['login.example.com', 'evil.example.net']);
    for (const { url, signature, body } of asked) {
      expect(url).toBe('/status?c=1&n=2');
      const form = Object.fromEntries(new URLSearchParams(body));
      expect(validateRequest(peer.authToken, signature, StatusCallback, form)).toBe(true);
      expect(
        validateRequest(peer.authToken, signature, `https://evil.example.net${url}`, form),
      ).toBe(false);
    }
  });
});
