/** What is killed, and what must come of it. Each begins in peace, is killed in `act`, and goes on with a new process. */
import { decodeBase32 } from '../../functions/two-factor/factors/base32';
import { totp } from '../../functions/two-factor/factors/totp';
import {
  arrivesOnce,
  balance,
  challengeOf,
  issue,
  neverAgain,
  verifiesOnce,
  wrongOf,
} from './two-factor-crash-checks';
import type { Answer } from './two-factor-crash-protocol';
import { AFTER_LEASE, type World } from './two-factor-crash-world';

export interface Scenario {
  /** In peace; the rest of the case: what is killed, and what follows. */
  begin(world: World): Promise<Rest>;
}

export interface Rest {
  act(): Promise<unknown>;
  /** `acted`: what `act` gave, when it was not killed before. */
  check(acted: unknown): Promise<void>;
}

const KEY = 'the same key';
const sameAs = (world: World, first: unknown, again: Answer): void => {
  if (again.status !== 202) world.broken(`the repeat says ${again.status} ${again.text}`);
  if (first !== undefined && (first as Answer).text !== again.text)
    world.broken(`${(first as Answer).text} became ${again.text}`);
};

const issuing = (channel: 'sms' | 'mail'): Scenario => ({
  begin: async (world) => {
    const { user, phone, address } = world;
    const wish = { user, ...(channel === 'sms' ? { phoneNumber: phone } : { email: address }) };
    return {
      act: () => world.ask('/', wish, KEY),
      check: async (first) => {
        world.advance(AFTER_LEASE);
        const again = await world.insist('/', wish, KEY);
        sameAs(world, first, again);
        const challenge = challengeOf(again.text);
        await world.settle();
        sameAs(world, again, await world.insist('/', wish, KEY));
        const code = await arrivesOnce(world, challenge, { channel, before: 0, n: 0 });
        await verifiesOnce(world, challenge, code);
        await balance(world, challenge);
      },
    };
  },
});

const resending = (channel: 'sms' | 'mail'): Scenario => ({
  begin: async (world) => {
    const { phone, address } = world;
    if (channel === 'mail') {
      const enrolling = await issue(world, { email: address, purpose: 'enrol' });
      await verifiesOnce(world, enrolling, world.codes.mail[0] ?? '');
    }
    const challenge = await issue(world, { phoneNumber: phone });
    const old = world.codes.sms[0] ?? '';
    const before = world.codes[channel].length;
    world.advance(31_000);
    const wish = { challenge, ...(channel === 'mail' && { channel }) };
    return {
      act: () => world.ask('/resend', wish, KEY),
      check: async (first) => {
        world.advance(AFTER_LEASE);
        const again = await world.insist('/resend', wish, KEY);
        sameAs(world, first, again);
        await world.settle();
        sameAs(world, again, await world.insist('/resend', wish, KEY));
        const code = await arrivesOnce(world, challenge, { channel, before, n: 1 });
        await neverAgain(world, challenge, old);
        await verifiesOnce(world, challenge, code);
        await balance(world, challenge);
      },
    };
  },
});

/** Whatever is typed again, and wherever, nobody is let in twice; and a fresh challenge lets the person in. */
const verifying = (
  begin: (world: World) => Promise<{
    readonly code: () => string;
    readonly challenge: () => Promise<string>;
    readonly nextCode: () => string;
  }>,
): Scenario => ({
  begin: async (world) => {
    const before = world.verified.length;
    const { code, challenge: fresh, nextCode } = await begin(world);
    const challenge = await fresh();
    const typed = { challenge, code: code() };
    const yes = () => world.verified.length - before;
    return {
      act: () => world.ask('/verify', typed),
      check: async () => {
        await world.insist('/verify', typed);
        await world.ask('/verify', typed);
        const other = await fresh();
        await world.ask('/verify', { challenge: other, code: typed.code });
        if (yes() > 1) world.broken(`one code was right ${yes()} times`);
        const tokens = world.verified.map(
          ({ text }) => (JSON.parse(text) as Answer & { token: string }).token,
        );
        for (const token of tokens) {
          const redeemed = [
            await world.ask('/token', { token }),
            await world.ask('/token', { token }),
          ];
          const said = redeemed.map((one) => one?.status).join();
          if (said !== '200,401') world.broken(`its token says ${said}`);
        }
        world.advance(60_000);
        const last = await fresh();
        await world.settle();
        await verifiesOnce(world, last, nextCode());
        await balance(world, challenge);
      },
    };
  },
});

const sent = verifying(async (world) => {
  const code = () => world.codes.sms.at(-1) ?? '';
  return { code, nextCode: code, challenge: () => issue(world, { phoneNumber: world.phone }) };
});

const enrolling = verifying(async (world) => {
  const code = () => world.codes.mail.at(-1) ?? '';
  return {
    ...{ code, nextCode: code },
    challenge: () => issue(world, { email: world.address, purpose: 'enrol' }),
  };
});

const authenticator = verifying(async (world) => {
  const { user, lane } = world;
  const enrolled = await world.ask('/totp', { user });
  const { secret } = JSON.parse(enrolled?.text ?? '{}') as { secret: string };
  const at = (ms: number) => totp(decodeBase32(secret) as Uint8Array, Date.now() + lane.ahead + ms);
  await world.ask('/totp/confirm', { user, code: at(0) });
  world.advance(60_000);
  return {
    code: () => at(0),
    nextCode: () => at(0),
    challenge: () => issue(world, { channel: 'totp' }),
  };
});

const recovery = verifying(async (world) => {
  const made = await world.ask('/recovery-codes', { user: world.user });
  const { codes } = JSON.parse(made?.text ?? '{}') as { codes: string[] };
  return {
    code: () => codes[0] ?? '',
    nextCode: () => codes[1] ?? '',
    challenge: () => issue(world, { channel: 'recovery' }),
  };
});

const guessing = (goOn: 'right' | 'wrong'): Scenario => ({
  begin: async (world) => {
    const wish = { phoneNumber: world.phone };
    const challenge = await issue(world, wish);
    const code = world.codes.sms[0] ?? '';
    const guess = (by: number, at = challenge) => ({ challenge: at, code: wrongOf(code, by) });
    return {
      act: () => world.ask('/verify', guess(1)),
      check: async () => {
        if (goOn === 'right') {
          await verifiesOnce(world, challenge, code);
        } else {
          for (let by = 2; by < 9; by += 1) await world.insist('/verify', guess(by));
          if (world.compared > 5) world.broken(`${world.compared} guesses of one code`);
          await neverAgain(world, challenge, code);
          for (let others = 0; others < 5; others += 1) {
            const before = world.codes.sms.length;
            const other = await issue(world, wish);
            // A decoy: what is compared there is compared with nothing.
            if (world.codes.sms.length === before) continue;
            for (let by = 1; by < 7; by += 1) await world.ask('/verify', guess(by, other));
          }
          if (world.compared > 20) world.broken(`${world.compared} guesses in a day`);
          if (world.codes.sms.length > 4) world.broken('more than 20 guesses are out');
        }
        await world.settle();
        await balance(world, challenge);
      },
    };
  },
});

const redeeming: Scenario = {
  begin: async (world) => {
    const challenge = await issue(world, { phoneNumber: world.phone });
    await verifiesOnce(world, challenge, world.codes.sms[0] ?? '');
    const [{ text } = { text: '{}' }] = world.verified;
    const { token } = JSON.parse(text) as { token: string };
    return {
      act: () => world.ask('/token', { token }),
      check: async (first) => {
        const all = [first as Answer | undefined];
        for (let times = 0; times < 2; times += 1)
          all.push(await world.insist('/token', { token }));
        const yes = all.filter((answer) => answer?.status === 200).length;
        if (yes > 1) world.broken(`a token was redeemed ${yes} times`);
      },
    };
  },
};

/** Taken by the provider, which then broke off: nobody here knows. */
const uncertain = (by: 'look-up' | 'callback'): Scenario => ({
  begin: async (world) => {
    const { twilio } = world.lane;
    twilio.fault = 'accept-then-500';
    const challenge = await issue(world, { phoneNumber: world.phone }).finally(() => {
      twilio.fault = undefined;
    });
    const { sid = '' } = twilio.messages.find(({ to }) => to === world.phone) ?? {};
    const reported = (status: 'sent' | 'delivered') => {
      const { url, signature, body } = twilio.sign(sid, status);
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signature,
      };
      return world.order({ kind: 'ask', path: `/status${new URL(url).search}`, body, headers });
    };
    world.advance(AFTER_LEASE);
    return {
      act: () => (by === 'look-up' ? world.order({ kind: 'pass' }) : reported('sent')),
      check: async () => {
        if (by === 'callback') await reported('sent');
        await world.settle();
        const code = await arrivesOnce(world, challenge, { channel: 'sms', before: 0, n: 0 });
        for (const status of ['delivered', 'sent'] as const) await reported(status);
        const { sends } = await world.books(challenge);
        if (sends[0] !== 'delivered') world.broken(`delivered, and the record says ${sends[0]}`);
        await verifiesOnce(world, challenge, code);
        await balance(world, challenge);
      },
    };
  },
});

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'issue by SMS': issuing('sms'),
  'issue by mail': issuing('mail'),
  'resend by SMS': resending('sms'),
  'resend by mail': resending('mail'),
  'verify the right code': sent,
  'verify and enrol': enrolling,
  'verify an authenticator': authenticator,
  'verify a recovery code': recovery,
  'verify a wrong code, then the right one': guessing('right'),
  'verify wrong codes': guessing('wrong'),
  'redeem a token': redeeming,
  'look a message up': uncertain('look-up'),
  'take a report': uncertain('callback'),
};
