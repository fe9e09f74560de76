/** A mail server that has nothing in common with our mail library: Debian's python3-aiosmtpd. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ReceivedMail } from './smtp-peer';

/** How long an installation may take, in ms. */
const INSTALL_TIMEOUT = 300_000;

const INSTALL = 'apt-get update && apt-get install -y --no-install-recommends python3-aiosmtpd';

/** `AIOSMTPD_PYTHON` names an interpreter that has it. @default Debian's own */
const python = (): string => process.env.AIOSMTPD_PYTHON ?? '/usr/bin/python3';

const isThere = (): boolean => spawnSync(python(), ['-c', 'import aiosmtpd']).status === 0;

/** Installs it by apt where it is missing and we may; a failure is left to the tests that need it. */
export const provideAiosmtpd = (): void => {
  if (process.getuid?.() !== 0 || isThere()) return;
  console.log('Installing aiosmtpd for the mail tests …');
  spawnSync('sh', ['-c', INSTALL], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_TIMEOUT,
  });
};

export interface AiosmtpdPeer {
  /** For SMTP_URL. */
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
  /** Connections opened so far. */
  readonly connections: number;
  close(): Promise<void>;
}

type Fact = { readonly port: number } | { readonly connection: true } | ReceivedMail;

/** Ready when this resolves. What it took shows in `mails` a moment after the client has its answer. */
export const startAiosmtpdPeer = async (): Promise<AiosmtpdPeer> => {
  const script = path.join(__dirname, 'aiosmtpd-peer.py');
  const child = spawn(python(), [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const mails: ReceivedMail[] = [];
  let connections = 0;
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const fact = JSON.parse(line) as Fact;
      if ('port' in fact) resolve(fact.port);
      else if ('connection' in fact) connections++;
      else mails.push(fact);
    });
    const missing = () =>
      reject(
        new Error(
          `The mail tests need aiosmtpd. Install it, as root:\n\n  ${INSTALL}\n\nor name a Python that has it by the environment variable AIOSMTPD_PYTHON.\n\n${stderr}`,
        ),
      );
    child.on('error', missing).on('close', missing);
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    get connections() {
      return connections;
    },
    close: async () => {
      child.stdin.end();
      child.kill();
      await closed;
    },
  };
};
