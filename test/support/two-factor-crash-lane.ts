/** What outlives a process of two-factor in a crash campaign: the provider, the mail server, the login service. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Child, startChild } from './child';
import { type SmtpPeer, startSmtpPeer } from './smtp-peer';
import { startTwilioPeer, type TwilioPeer } from './twilio-peer';
import type { Answer, Books, Order, Peers, Told } from './two-factor-crash-protocol';

/** What a process did of an order. */
export interface Heard {
  readonly answer?: Answer;
  readonly books?: Books;
  readonly audited: readonly string[];
  readonly macs: number;
  /** `undefined`: it was killed. */
  readonly points: number | undefined;
}

export interface Host {
  fulfil(order: Order): Promise<Heard>;
  kill(): Promise<void>;
}

export interface Lane {
  readonly twilio: TwilioPeer;
  readonly smtp: SmtpPeer;
  /** By how much the provider's clock is ahead of the machine's, ms. */
  ahead: number;
  /** Whether the login service was told this code, for this challenge. */
  wasTold(challenge: string, user: string, code: string): boolean;
  /** A process that is warm; the next one warms up meanwhile. */
  nextHost(): Promise<Host>;
  close(): Promise<void>;
}

const LOGIN_SECRET = 'a secret of the login service and of us';
/** Longer than anything takes here, ms. */
const PATIENCE = 60_000;

type Registration = Readonly<
  Record<'challenge' | 'user' | 'purpose' | 'salt' | 'hash' | 'expiresAt', string>
>;

export const openLane = async (settings: Readonly<Record<string, string>>): Promise<Lane> => {
  const registrations: Registration[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    if (request.url === '/codes') registrations.push(JSON.parse(body));
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const twilio = await startTwilioPeer({ now: () => Date.now() + lane.ahead });
  const smtp = await startSmtpPeer();
  const peers: Peers = {
    twilio: { accountSid: twilio.accountSid, authToken: twilio.authToken, baseUrl: twilio.url },
    smtp: smtp.url,
    settings: {
      ...settings,
      LOGIN_SERVICE_URL: `${own}/codes`,
      LOGIN_SERVICE_SECRET: LOGIN_SECRET,
      TWO_FACTOR_AUDIT_SINK: `${own}/audit`,
    },
  };
  const start = async (): Promise<Host> =>
    hostOf(
      await startChild('test/support/two-factor-crash-child.ts', [JSON.stringify(peers)], {
        timeout: 3_600_000,
      }),
    );
  let standby = start();
  const lane: Lane = {
    twilio,
    smtp,
    ahead: 0,
    // A later registration takes the place of the one before.
    wasTold: (challenge, user, code) => {
      const told = registrations.filter((one) => one.challenge === challenge && one.user === user);
      const last = told.toSorted((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1)).at(-1);
      return last !== undefined && isOf(last, code);
    },
    nextHost: async () => {
      const host = await standby;
      standby = start();
      return host;
    },
    close: async () => {
      await (await standby).kill();
      await Promise.all([twilio.close(), smtp.close()]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return lane;
};

/** As a login service verifies, which knows nothing of our code. */
const isOf = ({ salt, challenge, user, purpose, hash }: Registration, code: string): boolean => {
  const key = createHmac('sha256', LOGIN_SECRET).update('two-factor code').digest();
  const hmac = createHmac('sha256', key);
  for (const part of [salt, challenge, user, purpose, code])
    hmac.update(`${Buffer.byteLength(part)}:${part},`);
  return hmac.digest('hex') === hash;
};

const hostOf = (child: Child): Host => ({
  fulfil: async (order) => {
    const audited: string[] = [];
    let macs = 0;
    let rest: Pick<Heard, 'answer' | 'books'> = {};
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, PATIENCE);
    child.send(JSON.stringify(order));
    try {
      for (;;) {
        const told = await child.line().then(
          (line) => JSON.parse(line) as Told,
          () => undefined,
        );
        if (told === undefined) {
          const { signal, stderr } = await child.ended;
          if (isLate) throw new Error(`the process did not end within ${PATIENCE} ms`);
          if (signal !== 'SIGKILL') throw new Error(`the process broke: ${stderr}`);
          return { ...rest, audited, macs, points: undefined };
        }
        if (told.kind === 'failed') throw new Error(`the process failed: ${told.message}`);
        if (told.kind === 'audit') audited.push(told.event);
        else if (told.kind === 'mac') macs += 1;
        else if (told.kind === 'answer') rest = { ...rest, answer: told.answer };
        else if (told.kind === 'books') rest = { ...rest, books: told.books };
        else return { ...rest, audited, macs, points: told.points };
      }
    } finally {
      clearTimeout(late);
    }
  },
  kill: async () => {
    child.kill('SIGKILL');
    await child.ended;
  },
});
