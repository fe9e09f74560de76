/** A real Restate server, or a cluster of three, for tests: on free ports, in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LoadRestate, loadFrom } from '../../shared/pipeline/engines/restate/sdk';

const PEERS = path.resolve(__dirname, '../peers/restate');
/** For processes that load the SDK by its name. */
export const RESTATE_NODE_PATH = path.join(PEERS, 'node_modules');
const SERVER = path.join(
  RESTATE_NODE_PATH,
  `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
);

export interface RestateServer {
  readonly ingressUrl: string;
  readonly adminUrl: string;
  readonly folder: string;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** The same data on the same ports, as soon as it works. */
  start(): Promise<void>;
  /** For good, with its folder. */
  stop(): Promise<void>;
}

/** Installs the packages where they are missing; they are not of this project's own dependencies. */
const install = (): void => {
  if (existsSync(SERVER)) return;
  // No scripts: one of the packages behind would report the installation.
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: PEERS,
    stdio: 'inherit',
  });
};

/** The SDK, from beside the server. */
export const loadPeer: LoadRestate = () => {
  install();
  return loadFrom([PEERS])();
};

/** Ports that nobody listens on. They are all taken before one is given back, so they differ. */
const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      server.close();
      await once(server, 'close');
      return port;
    }),
  );
};

export const freePort = async (): Promise<number> => (await freePorts(1))[0] as number;

interface NodePorts {
  readonly node: number;
  readonly ingress: number;
  readonly admin: number;
}

const SMALL = `listen-mode = "tcp"
rocksdb-total-memory-size = "96MB"
log-filter = "warn"
`;

/** `identity`: the file of a key with which it signs its requests. */
const single = (
  folder: string,
  { node, ingress, admin }: NodePorts,
  identity: string | undefined,
): string => `${SMALL}
cluster-name = "test"
node-name = "n1"
base-dir = "${folder}"
bind-address = "127.0.0.1:${node}"
advertised-address = "http://127.0.0.1:${node}/"
default-num-partitions = 4
disable-telemetry = true
[worker.invoker]
memory-limit = "128MB"
${identity === undefined ? '' : `request-identity-private-key-pem-file = "${identity}"`}
[admin.query-engine]
memory-size = "64MB"
[bifrost]
record-cache-memory-size = "16MB"
[ingress]
bind-address = "127.0.0.1:${ingress}"
[admin]
bind-address = "127.0.0.1:${admin}"
`;

/** The file that is served for a cluster, on this machine. */
const member = (folder: string, ports: readonly NodePorts[], index: number): string => {
  const { node, ingress, admin } = ports[index] as NodePorts;
  const served = readFileSync(
    path.resolve(__dirname, `../../deploy/restate/n${index + 1}.toml`),
    'utf8',
  );
  const here = served
    .replace('/var/lib/restate', folder)
    .replace('/etc/restate', folder)
    .replace('listen-mode = "tcp"\n', '')
    .replace('default-num-partitions = 24', 'default-num-partitions = 4')
    .replace('0.0.0.0:5122', `127.0.0.1:${node}`)
    .replace('0.0.0.0:8080', `127.0.0.1:${ingress}`)
    .replace('0.0.0.0:9070', `127.0.0.1:${admin}`)
    .replaceAll(/n([123]):5122/g, (_, n) => `127.0.0.1:${ports[Number(n) - 1]?.node}`);
  return SMALL + here;
};

/** Ends what a test run that was broken off has left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const launch = async (config: string, log: string): Promise<ChildProcess> => {
  for (let attempt = 1; ; attempt += 1) {
    const child = spawn(SERVER, ['--config-file', config], {
      env: { PATH: process.env.PATH, DO_NOT_TRACK: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000);
      writeFileSync(log, output);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    running.add(child);
    child.once('exit', () => running.delete(child));
    const [port] =
      /bind-address = "127.0.0.1:(\d+)"/.exec(readFileSync(config, 'utf8'))?.slice(1) ?? [];
    await Promise.race([once(child, 'exit'), isUp(`http://127.0.0.1:${port}/metrics`)]);
    if (child.exitCode === null) return child;
    // The port of one that was killed is not free at once.
    if (attempt === 20 || !output.includes('Address in use')) throw new Error(output);
    await pause(250);
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the answer is 2xx. */
const isUp = async (url: string, init: RequestInit = {}): Promise<void> => {
  const end = performance.now() + 60_000;
  for (;;) {
    const answer = await fetch(url, init).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (performance.now() > end) throw new Error(`${url} does not work: ${answer?.status}`);
    await pause(50);
  }
};

/** A health check says yes before the partitions have leaders; a question about state needs all of them. */
const works = async ({ ingress, admin }: NodePorts): Promise<void> => {
  await isUp(`http://127.0.0.1:${ingress}/restate/health`);
  await isUp(`http://127.0.0.1:${admin}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: 'SELECT count(*) FROM state' }),
  });
};

const serverOf = (folder: string, config: string, ports: NodePorts): RestateServer => {
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill(signal);
    await once(ending, 'exit');
  };
  return {
    ingressUrl: `http://127.0.0.1:${ports.ingress}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    folder,
    kill: () => end('SIGKILL'),
    start: async () => {
      child = await launch(config, path.join(folder, 'log'));
      await works(ports);
    },
    stop: async () => {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const portsOf = async (): Promise<NodePorts> => {
  const [node, ingress, admin] = (await freePorts(3)) as [number, number, number];
  return { node, ingress, admin };
};

export interface StartRestateOptions {
  /** PKCS #8, Ed25519: the key with which the server signs its requests. @default none */
  readonly identityKey?: string;
}

/** One server that works. */
export const startRestate = async ({
  identityKey,
}: StartRestateOptions = {}): Promise<RestateServer> => {
  install();
  const folder = mkdtempSync(path.join(tmpdir(), 'restate-'));
  const ports = await portsOf();
  const config = path.join(folder, 'restate.toml');
  const identity = identityKey === undefined ? undefined : path.join(folder, 'identity.pem');
  if (identity !== undefined) writeFileSync(identity, identityKey as string, { mode: 0o600 });
  writeFileSync(config, single(folder, ports, identity));
  const server = serverOf(folder, config, ports);
  await server.start();
  return server;
};

/** Three servers that hold everything twice: one of them may fail. */
export const startCluster = async (): Promise<readonly RestateServer[]> => {
  install();
  const ports = [await portsOf(), await portsOf(), await portsOf()];
  const { privateKey } = generateKeyPairSync('ed25519');
  const identityKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const servers = ports.map((mine, index) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'restate-'));
    writeFileSync(path.join(folder, 'identity.pem'), identityKey, { mode: 0o600 });
    const config = path.join(folder, 'restate.toml');
    writeFileSync(config, member(folder, ports, index));
    return serverOf(folder, config, mine);
  });
  await Promise.all(servers.map((server) => server.start()));
  return servers;
};
