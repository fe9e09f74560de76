/** One case of a crash campaign: a person of its own, a store of its own, and one process after the other. */
import type { Heard, Host, Lane } from './two-factor-crash-lane';
import type { Answer, Ask, Books, Order } from './two-factor-crash-protocol';

/** A lease of two-factor's, and a little more, ms. */
export const AFTER_LEASE = 16_000;
/** A provider that does not know a message by then never had it, ms. */
const AFTER_LOOK_UPS = 130_000;
/** One recovery in so many is killed as well, at one of its first points. */
const AGAIN = 4;
const EARLY = 20;

export interface WorldOptions {
  readonly lane: Lane;
  /** Of a store that nobody has used. */
  readonly url: string;
  /** Unlike that of any other. */
  readonly index: number;
  readonly random: () => number;
  readonly host: Host;
}

export interface World {
  readonly user: string;
  readonly phone: string;
  readonly address: string;
  readonly violations: readonly string[];
  /** The answers to `/verify` that said yes, killed processes included. */
  readonly verified: readonly Answer[];
  /** Codes compared with what was sent, right or wrong. */
  readonly compared: number;
  /** Kills in recoveries. */
  readonly again: number;
  /** Codes that have arrived, the latest last. */
  readonly codes: Readonly<Record<'sms' | 'mail', readonly string[]>>;
  readonly lane: Lane;
  readonly host: Host;
  broken(what: string): void;
  advance(ms: number): void;
  /** The next order is killed at this point. */
  killAt(point: number | undefined): void;
  /** Points of the last order; `undefined`: it was killed. */
  readonly points: number | undefined;
  /** `undefined`: killed before it had answered. */
  ask(path: string, body: unknown, key?: string): Promise<Answer | undefined>;
  /** Asks until there is an answer, with crashes on the way; each time after the leases. */
  insist(path: string, body: unknown, key?: string): Promise<Answer>;
  order(order: { readonly kind: 'pass' } | ({ readonly kind: 'ask' } & Ask)): Promise<Heard>;
  /** What the queue holds is sent, looked up or given up. */
  settle(): Promise<void>;
  books(challenge: string): Promise<Books>;
}

export const openWorld = async (options: WorldOptions): Promise<World> => {
  const { lane, url, index, random } = options;
  const { twilio, smtp } = lane;
  const user = `user-${index}`;
  const phone = `+4915112${String(index).padStart(6, '0')}`;
  const address = `case-${index}@example.com`;
  const violations: string[] = [];
  const verified: Answer[] = [];
  let { host } = options;
  let isOpen = false;
  let killAt: number | undefined;
  let last: Heard | undefined;
  let compared = 0;
  let again = 0;
  lane.ahead = 0;

  type Unordered = Order extends infer O
    ? O extends Order
      ? Omit<O, 'ahead' | 'killAt'>
      : never
    : never;
  const tell = async (order: Unordered): Promise<Heard> => {
    if (!isOpen) await host.fulfil({ kind: 'open', url, ahead: lane.ahead });
    isOpen = true;
    const heard = await host.fulfil({ ...order, ahead: lane.ahead, killAt } as Order);
    killAt = undefined;
    last = heard;
    if (heard.points === undefined) {
      host = await lane.nextHost();
      isOpen = false;
    }
    const { answer, audited, macs } = heard;
    if (order.kind === 'ask' && order.path === '/verify') {
      compared += macs;
      if (answer?.status === 200) {
        verified.push(answer);
        if (!audited.includes('verified')) world.broken('a 200 without an audit line');
      }
    }
    return heard;
  };
  const askOf = (path: string, body: unknown, key: string | undefined) => ({
    kind: 'ask' as const,
    ...{ path, body },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  });
  const early = (): number | undefined =>
    random() * AGAIN < 1 ? 1 + Math.floor(random() * EARLY) : undefined;
  /** Made again, after the leases, until it is not killed. */
  const through = async (order: Unordered): Promise<Heard> => {
    for (;;) {
      killAt = early();
      const heard = await tell(order);
      if (heard.points !== undefined) return heard;
      again += 1;
      world.advance(AFTER_LEASE);
    }
  };

  const world: World = {
    ...{ user, phone, address, violations, verified, lane },
    get compared() {
      return compared;
    },
    get again() {
      return again;
    },
    get host() {
      return host;
    },
    get points() {
      return last?.points;
    },
    get codes() {
      const texts = twilio.messages.filter(({ to }) => to === phone).map(({ body }) => body);
      const mails = smtp.mails.filter(({ recipients }) => recipients.includes(address));
      return {
        sms: texts.map((text) => /#(\d{6})$/.exec(text)?.[1] ?? ''),
        mail: mails.map(({ raw }) => /^OTP-Token: "(\d{6})"/im.exec(raw)?.[1] ?? ''),
      };
    },
    broken: (what) => void violations.push(what),
    advance: (ms) => {
      lane.ahead += ms;
    },
    killAt: (point) => {
      killAt = point;
    },
    ask: async (path, body, key) => (await tell(askOf(path, body, key))).answer,
    insist: async (path, body, key) => (await through(askOf(path, body, key))).answer as Answer,
    order: tell,
    settle: async () => {
      for (const ms of [AFTER_LEASE, AFTER_LEASE, AFTER_LOOK_UPS]) {
        world.advance(ms);
        await through({ kind: 'pass' });
        if (ms === AFTER_LEASE && (await world.books('-')).queue === 0) return;
      }
    },
    books: async (challenge) => (await tell({ kind: 'books', challenge })).books as Books,
  };
  return world;
};
