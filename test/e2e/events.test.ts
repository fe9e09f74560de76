/** The events of a run over a real host: live, and gone when the host stops. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Run } from '../../shared/pipeline/run';
import { bundle } from '../support/bundle';
import { startHost } from '../support/host-process';

/** Answers the steps of a signup; the first one when told to. */
let receiver: http.Server;
let calls: ((release: () => void) => void)[] = [];
const firstCall = (): Promise<() => void> => new Promise((resolve) => calls.push(resolve));

beforeAll(async () => {
  receiver = http.createServer((incoming, outgoing) => {
    const end = () => outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    incoming.resume();
    if (incoming.url === '/create-user') for (const take of calls.splice(0)) take(end);
    else end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

describe.each(['node', 'functions-framework'])('on the %s host', (name) => {
  const file = bundle(`deploy/entry/${name}.ts`);

  const begin = async () => {
    calls = [];
    const called = firstCall();
    const host = await startHost({
      file,
      environment: {
        FUNCTIONS_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
      },
    });
    const accepted = await fetch(`${host.url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"ada","email":"ada@example.com"}',
    });
    expect(accepted.status).toBe(202);
    const response = await fetch(`${host.url}${accepted.headers.get('location')}/events`);
    const source = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<string> => {
      for (let part = await source.read(); !part.done; part = await source.read()) {
        text += Buffer.from(part.value).toString();
        if (pattern.test(text)) break;
      }
      return text;
    };
    return { host, response, until, called };
  };

  const runs = (text: string) =>
    [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string) as Run);

  test('each change of a run is told as it happens, up to its end', async () => {
    const { host, response, until, called } = await begin();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(runs(await until(/"create-user":\{"state":"running"/))).toHaveLength(1);
    (await called)();
    const all = runs(await until(/never/));
    expect(all.at(-1)).toMatchObject({
      state: 'succeeded',
      steps: { welcome: { state: 'succeeded' }, crm: { state: 'skipped' } },
    });
    expect(all.length).toBeGreaterThan(2);
    expect(await host.stop()).toBe(0);
  });

  test('a host that stops ends its streams at once', async () => {
    const { host, until, called } = await begin();
    await until(/"running"/);
    const release = await called;
    const began = Date.now();
    const stopped = host.stop();
    // It ends before the step that holds the host up.
    await until(/never/);
    release();
    expect(await stopped).toBe(0);
    // Neither the stream nor its kept connection holds the host until the drain is cut, after 9 s.
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
