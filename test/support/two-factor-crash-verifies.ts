/** Verifications that are killed: nobody is let in twice, no guess is forgotten, and nobody is locked out by it. */
import { decodeBase32 } from '../../functions/two-factor/factors/base32';
import { totp } from '../../functions/two-factor/factors/totp';
import { balance, issue, neverAgain, verifiesOnce, wrongOf } from './two-factor-crash-checks';
import type { Answer } from './two-factor-crash-protocol';
import type { Scenario } from './two-factor-crash-scenario';
import type { World } from './two-factor-crash-world';

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

export const sent = verifying(async (world) => {
  const code = () => world.codes.sms.at(-1) ?? '';
  return { code, nextCode: code, challenge: () => issue(world, { phoneNumber: world.phone }) };
});

export const enrolling = verifying(async (world) => {
  const code = () => world.codes.mail.at(-1) ?? '';
  return {
    ...{ code, nextCode: code },
    challenge: () => issue(world, { email: world.address, purpose: 'enrol' }),
  };
});

export const authenticator = verifying(async (world) => {
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

export const recovery = verifying(async (world) => {
  const made = await world.ask('/recovery-codes', { user: world.user });
  const { codes } = JSON.parse(made?.text ?? '{}') as { codes: string[] };
  return {
    code: () => codes[0] ?? '',
    nextCode: () => codes[1] ?? '',
    challenge: () => issue(world, { channel: 'recovery' }),
  };
});

export const guessing = (goOn: 'right' | 'wrong'): Scenario => ({
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

export const redeeming: Scenario = {
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
