/** All that can go wrong around two-factor, one after the other, with a person of its own each. */
import { setTimeout as delay } from 'node:timers/promises';
import type { SmtpFault } from './smtp-peer';
import type { TwilioFault } from './twilio-peer';
import { expectStatus, personOf, until, verify, wrong } from './two-factor-canary-peace';
import type { Rig } from './two-factor-canary-rig';

export const TWILIO_FAULTS: readonly TwilioFault[] = [
  ...(['hang', 'accept-then-hang', 'drip', 'flood', 'reset', 'accept-then-reset'] as const),
  ...(['junk', 'html', 'accept-then-500'] as const),
  ...[
    [400, 21211],
    [400, 21610],
    [401, 20003],
    [404, 20404],
    [429, 20429],
    [500, 20500],
    [503, 20503],
  ].map(([status = 0, code = 0]) => ({ status, code })),
];

export const SMTP_FAULTS: readonly SmtpFault[] = [
  ...(['connect', 'data', 'accepted'] as const).map((at) => ({ at, does: 'hang' as const })),
  ...(['connect', 'auth', 'rcpt', 'data', 'accepted'] as const).map((at) => ({
    at,
    does: 'drop' as const,
  })),
  ...(['connect', 'auth', 'mail', 'rcpt', 'data', 'accepted'] as const).flatMap((at) => [
    { at, does: 451 },
    { at, does: 550 },
  ]),
];

export const LOGIN_FAULTS = ['hang', 'reset', '500', 'redirect', 'junk'] as const;
export const SINK_FAULTS = ['refuse', 'reset', 'hang'] as const;

export const twilioFaults = async (rig: Rig): Promise<void> => {
  const { twilio } = rig;
  for (const fault of TWILIO_FAULTS) {
    twilio.fault = fault;
    const { user, phone } = personOf(rig);
    const before = twilio.requests;
    const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
    await until(() => twilio.requests > before, JSON.stringify(fault));
    // As they are met; the answers, or none, come in their own time.
    await delay(50);
    await verify(rig, challenge, wrong(code));
  }
  twilio.fault = undefined;
};

export const smtpFaults = async (rig: Rig): Promise<void> => {
  for (const fault of SMTP_FAULTS) {
    rig.smtp.fault = fault;
    const { user, address } = personOf(rig);
    const { challenge, code } = await rig.sent('/', { user, email: address });
    await delay(700);
    await verify(rig, challenge, wrong(code));
  }
  rig.smtp.fault = undefined;
};

export const loginFaults = async (rig: Rig): Promise<void> => {
  await Promise.all(
    LOGIN_FAULTS.map(async (fault) => {
      const { user, phone } = personOf(rig, `login-${fault}`);
      const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
      await verify(rig, challenge, wrong(code));
    }),
  );
};

export const sinkFaults = async (rig: Rig): Promise<void> => {
  for (const fault of SINK_FAULTS) {
    rig.sink = fault;
    const { user, phone } = personOf(rig);
    const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
    await verify(rig, challenge, wrong(code));
    const { body } = expectStatus(await verify(rig, challenge, code), 200, `sink: ${fault}`);
    rig.secret('result token', body.token ?? '');
    await delay(1_200);
  }
  rig.sink = 'take';
};

/** The store fails while people are in the middle of everything. */
export const storeFaults = async (
  rig: Rig,
  fail: () => Promise<() => Promise<void>>,
): Promise<void> => {
  const { user, phone, address } = personOf(rig);
  const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
  const mend = await fail();
  try {
    const answers = await Promise.all([
      verify(rig, challenge, code),
      rig.call(
        '/two-factor',
        { user, phoneNumber: phone },
        { headers: { 'idempotency-key': phone } },
      ),
      rig.call('/two-factor', { user, email: address }),
      rig.call('/two-factor/resend', { challenge }),
      rig.call('/two-factor/totp', { user }),
      rig.call('/two-factor/recovery-codes', { user }),
    ]);
    // Whom the last message was sent to a moment ago is told so, by a store that can still be read.
    for (const answer of answers)
      if (answer.status !== 429) expectStatus(answer, 503, 'without the store');
  } finally {
    await mend();
  }
};
