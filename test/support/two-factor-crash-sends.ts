/** Messages whose sending is killed: each arrives once at most, and what arrived counts. */
import {
  arrivesOnce,
  balance,
  challengeOf,
  issue,
  neverAgain,
  verifiesOnce,
} from './two-factor-crash-checks';
import type { Answer } from './two-factor-crash-protocol';
import type { Scenario } from './two-factor-crash-scenario';
import { AFTER_LEASE, type World } from './two-factor-crash-world';

const KEY = 'the same key';
const sameAs = (world: World, first: unknown, again: Answer): void => {
  if (again.status !== 202) world.broken(`the repeat says ${again.status} ${again.text}`);
  if (first !== undefined && (first as Answer).text !== again.text)
    world.broken(`${(first as Answer).text} became ${again.text}`);
};

export const issuing = (channel: 'sms' | 'mail'): Scenario => ({
  begin: async (world) => {
    const { user, phone, address } = world;
    const wish = { user, ...(channel === 'sms' ? { phoneNumber: phone } : { email: address }) };
    return {
      act: () => world.ask('/', wish, KEY),
      check: async (first) => {
        // Who has an answer does not ask again: what the queue holds goes out by itself.
        if (first !== undefined) await world.settle();
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

export const resending = (channel: 'sms' | 'mail'): Scenario => ({
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
        if (first !== undefined) await world.settle();
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

/** Taken by the provider, which then broke off: nobody here knows. */
export const uncertain = (by: 'look-up' | 'callback'): Scenario => ({
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
