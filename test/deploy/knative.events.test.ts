/** What Knative asks of a container, on the node host: PORT, health paths, and answers that a Broker takes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

let host: HostProcess;

beforeAll(async () => {
  host = await startHost({ file: bundle('deploy/entry/node.ts') });
});
afterAll(() => host.stop());

describe('an event from a Broker', () => {
  const send = (id: string, headers: Readonly<Record<string, string>>) =>
    fetch(`${host.url}/signup`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': '/shop',
        'ce-type': 'signup.request',
        ...headers,
      },
      body: JSON.stringify({ username: 'ada', email: `${id}@example.com` }),
    });

  test('starts a run and is answered with nothing: any body but an event is a failed delivery to it', async () => {
    const response = await send('broker', { prefer: 'reply' });
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(response.headers.get('ce-specversion')).toBeNull();
    const location = response.headers.get('location') as string;
    expect(await (await fetch(host.url + location)).json()).toMatchObject({ pipeline: 'signup' });
    // Delivered once more, it is the same run.
    expect((await send('broker', { prefer: 'reply' })).headers.get('location')).toBe(location);
  });

  test('from anybody else is answered with the run', async () => {
    for (const prefer of ['', 'respond-async', 'wait=0, reply-to=a']) {
      const response = await send('somebody', { prefer });
      expect(await response.json()).toMatchObject({ pipeline: 'signup' });
    }
  });

  test('that cannot be taken is refused with a status that it does not repeat', async () => {
    expect((await send('broker', { prefer: 'reply', 'ce-specversion': '9' })).status).toBe(400);
  });
});

test.each(['liveness', 'readiness'])('/health/%s says so, as Knative func has it', async (path) => {
  const response = await fetch(`${host.url}/health/${path}`);
  expect([response.status, await response.text()]).toEqual([200, '']);
});
