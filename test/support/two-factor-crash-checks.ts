/** What must hold after a crash, whatever it was that was killed. */
import type { World } from './two-factor-crash-world';

export const PRICE = 100_000;

export const challengeOf = (text: string): string =>
  (JSON.parse(text) as { challenge: string }).challenge;

/** Issues, in peace. */
export const issue = async (world: World, more: object, key?: string): Promise<string> => {
  const answer = await world.ask('/', { user: world.user, ...more }, key);
  if (answer?.status !== 202) throw new Error(`not issued: ${answer?.status} ${answer?.text}`);
  return challengeOf(answer.text);
};

export const wrongOf = (code: string, by: number): string =>
  String((Number(code) + by) % 1_000_000).padStart(6, '0');

/** Says yes, in peace, and then never again. */
export const verifiesOnce = async (world: World, challenge: string, code: string) => {
  const first = await world.ask('/verify', { challenge, code });
  if (first?.status !== 200) world.broken(`the code that arrived was refused: ${first?.status}`);
  await neverAgain(world, challenge, code);
};

export const neverAgain = async (world: World, challenge: string, code: string) => {
  const answer = await world.ask('/verify', { challenge, code });
  if (answer?.status !== 401) world.broken(`a used code says ${answer?.status}`);
};

/** Nothing counts less than what was used, nothing waits any more, and nobody was told nothing. */
export const balance = async (world: World, challenge: string): Promise<void> => {
  const { queue, taken, held } = await world.books(challenge);
  const { sms, mail } = world.codes;
  const least: Readonly<Record<string, number>> = {
    user: sms.length + mail.length,
    address: sms.length + mail.length,
    destination: sms.length + mail.length,
    prefix: sms.length,
    country: sms.length,
    spend: sms.length * PRICE,
  };
  for (const [name, used] of Object.entries(least))
    if ((taken[name] ?? 0) < used) world.broken(`${name}: ${taken[name]} counted, ${used} used`);
  const wrong = world.compared - world.verified.length;
  for (const whose of ['user', 'destination'])
    if ((held[whose] ?? 0) < wrong)
      world.broken(`${whose}: ${held[whose]} guesses held, ${wrong} wrong ones compared`);
  if (queue > 0) world.broken(`${queue} messages are left in the queue`);
};

export interface Arrival {
  readonly channel: 'sms' | 'mail';
  /** Codes that had arrived on this channel before. */
  readonly before: number;
  /** Of its message, from 0. */
  readonly n: number;
}

/**
 * At most one message has come of it, and what the records say of it is so. When none came, one resend brings one.
 * Gives the code that counts.
 */
export const arrivesOnce = async (
  world: World,
  challenge: string,
  { channel, before, n }: Arrival,
): Promise<string> => {
  const { user, lane } = world;
  const arrived = world.codes[channel].slice(before);
  if (arrived.length > 1) world.broken(`${arrived.length} messages of one key`);
  const { sends } = await world.books(challenge);
  // A mail leaves no trace to look for, and no list proves that a message was not taken.
  const fitting = arrived.length === 1 ? 'accepted' : 'unknown';
  if (sends[n] !== fitting && !(channel === 'mail' && sends[n] === 'unknown'))
    world.broken(`${arrived.length} arrived, and the record says ${sends[n]}`);
  if (arrived.length === 0) {
    world.advance(130_000);
    const answer = await world.ask('/resend', { challenge }, 'another');
    if (answer?.status !== 202) world.broken(`no resend after a loss: ${answer?.status}`);
    const now = world.codes[channel].length - before;
    if (now !== 1) world.broken(`${now} messages of a resend`);
  }
  const code = world.codes[channel].at(-1) ?? '';
  if (!lane.wasTold(challenge, user, code))
    world.broken('the login service does not know the code that arrived');
  return code;
};
