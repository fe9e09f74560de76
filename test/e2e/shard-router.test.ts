/** Router and shards as a newcomer meets them: the commands of a fresh start, then one file for all of them. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

const shell = async (command: string): Promise<string> =>
  (await promisify(execFile)('sh', ['-c', command], { timeout: 20_000 })).stdout;

const hosts: HostProcess[] = [];
const closing: (() => unknown)[] = [];

const start = async (
  name: string,
  environment: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<HostProcess> => {
  const host = await startHost({
    file: bundle(`deploy/entry/${name}.ts`),
    environment,
    ...(folder !== undefined && { folder }),
  });
  hosts.push(host);
  return host;
};

afterEach(async () => {
  const codes = await Promise.all(hosts.splice(0).map((host) => host.stop()));
  for (const close of closing.splice(0)) await close();
  expect(codes.filter((code) => code !== 0)).toEqual([]);
});

interface Described {
  readonly name: string;
  readonly routes: readonly { readonly path: string; readonly curl?: string }[];
}

describe.each(['functions-framework', 'node'])('a fresh start on the %s host', (name) => {
  test('shows commands that work: who owns a key, why, and what reaches its shard', async () => {
    const { url } = await start(name);
    const { functions } = JSON.parse(
      await shell(`curl -s -H 'accept: application/json' ${url}/`),
    ) as { functions: readonly Described[] };
    const commandOf = (of: string, route: string): string => {
      const { routes = [] } = functions.find((one) => one.name === of) ?? {};
      const curl = routes.find((one) => one.path === route)?.curl as string;
      return curl.replace(/http:\/\/localhost:\d+/, url);
    };
    const ask = async (command: string) => JSON.parse(await shell(command));
    const owner = await ask(commandOf('shard-router', '/shard-router/owner'));
    expect(owner).toMatchObject({ key: '7', shard: 'shard-1', address: 'shard-1', epoch: 0 });
    expect(await ask(commandOf('shard-router', '/shard-router/owner/explain'))).toMatchObject({
      shard: 'shard-1',
      digest: owner.digest,
    });
    expect(await ask(commandOf('shard-router', '/shard-router/*'))).toMatchObject({
      shard: 'shard-1',
      path: '/users/7',
      headers: { 'shard-epoch': '0', 'shard-digest': owner.digest, 'shard-role': 'owner' },
    });
    // And from the side of that shard: what is its own passes, what is another's does not.
    const own = commandOf('shard-owner', '/shard-owner/*');
    expect(await ask(own)).toMatchObject({ method: 'GET', path: '/users/7' });
    expect(await ask(own.replace('/users/7', '/users/1'))).toMatchObject({
      status: 421,
      code: 'misdirected',
    });
  });
});

describe('one file for the router and its shards', () => {
  /** An application that tells which one it is. */
  const application = (name: string): Promise<number> =>
    new Promise((resolve) => {
      const server = http.createServer((incoming, outgoing) => {
        const { 'shard-role': role, 'shard-epoch': epoch } = incoming.headers;
        outgoing.end(JSON.stringify({ name, url: incoming.url, role, epoch }));
      });
      closing.push(() => server.close());
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });

  test('sends every key where the client library says, and a shard takes no other', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sharded-'));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const names = ['s1', 's2', 's3'];
    const write = (urls: Readonly<Record<string, string>>) =>
      writeFileSync(
        path.join(folder, 'router.json'),
        JSON.stringify({
          mode: 'nginx-consistent',
          shards: names.map((name) => ({
            address: `10.0.0.${name.slice(1)}:80`,
            name,
            urls: [urls[name] ?? 'http://localhost'],
          })),
          key: { path: 2 },
        }),
      );
    // Where its shards are a shard need not know: only a router goes there.
    write({});
    const shards = await Promise.all(
      names.map(async (name) =>
        start(
          'node',
          {
            FUNCTION_TARGET: 'shard-owner',
            SHARD_OWNER_CONFIG: './router.json',
            SHARD_OWNER_NAME: name,
            SHARD_OWNER_TARGET: `http://127.0.0.1:${await application(name)}/api`,
          },
          folder,
        ),
      ),
    );
    write(Object.fromEntries(names.map((name, i) => [name, shards[i]?.url as string])));
    const router = await start(
      'node',
      { FUNCTION_TARGET: 'shard-router', SHARD_ROUTER_CONFIG: './router.json' },
      folder,
    );
    const met = new Set<string>();
    for (let user = 0; user < 30; user += 1) {
      const owner = (await (
        await fetch(`${router.url}/shard-router/owner?key=${user}`)
      ).json()) as { shard: string };
      const response = await fetch(`${router.url}/users/${user}?x=1`);
      expect(await response.json()).toEqual({
        name: owner.shard,
        url: `/api/users/${user}?x=1`,
        role: 'owner',
        epoch: '0',
      });
      met.add(owner.shard);
      const wrong = shards[(names.indexOf(owner.shard) + 1) % names.length] as HostProcess;
      expect((await fetch(`${wrong.url}/users/${user}`)).status).toBe(421);
    }
    expect(met).toEqual(new Set(names));
  });
});
