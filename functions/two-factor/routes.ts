/** The routes of challenges: from a request to a decision, and from a decision to an answer that tells nobody more. */
import { readEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { json } from '../../shared/http/response';
import { placeOf } from './budget/place';
import { MAX_ATTEMPTS } from './challenge';
import type { Issued } from './claim';
import {
  checkIssue,
  checkResend,
  checkToken,
  checkVerify,
  type IssueInput,
  type ResendInput,
  type TokenInput,
  type VerifyInput,
  wishOf,
} from './input';
import { createIssue } from './issue';
import type { PartsWithDelivery } from './parts';
import { createResend } from './resend';
import { createRedeem, resultToken } from './token';
import { createVerify } from './verify';
import { createWorker } from './worker';

/** Codes and tokens are for one reader. */
const NO_STORE = { 'cache-control': 'no-store' };

/** A challenge of this purpose enrols its destination once its code was verified: who has the code has the phone. */
const ENROL = 'enrol';

const name = 'two-factor';

export const challengeRoutes = (parts: PartsWithDelivery) => {
  const { platform, records, budgets, factors, audit, countries } = parts;
  const issue = createIssue(parts);
  const resend = createResend(parts);
  const verify = createVerify(parts);
  const redeem = createRedeem(parts);
  const worker = createWorker(platform, parts.delivery);

  return {
    'POST /': async (request, context) => {
      const startedAt = platform.clock.now();
      const { data, key } = await readEvent<IssueInput>(request, context, {
        name,
        check: checkIssue,
      });
      const issued = await issue({ wish: wishOf(data, countries), key }, context);
      await worker.send(issued.challenge, issued.record, context, startedAt);
      return accepted(issued);
    },
    'POST /resend': async (request, context) => {
      const startedAt = platform.clock.now();
      const { data, key } = await readEvent<ResendInput>(request, context, {
        name,
        check: checkResend,
      });
      const issued = await resend({ input: data, key }, context);
      await worker.send(issued.challenge, issued.record, context, startedAt);
      return accepted(issued);
    },
    'POST /verify': async (request, context) => {
      const { data } = await readEvent<VerifyInput>(request, context, {
        name,
        check: checkVerify,
      });
      const { challenge } = data;
      const { verdict, record } = await verify(data);
      const person = record && records.person(challenge, record);
      const of = { challenge, ...(person && { user: person.user }) };
      if (verdict !== 'verified') {
        audit(context, {
          type: 'verification_failed',
          ...of,
          reason: verdict,
          ...(record && {
            purpose: record.purpose,
            channel: record.channel,
            attemptsLeft: MAX_ATTEMPTS - record.attempts,
          }),
        });
        throw new Failure('verification_failed');
      }
      const { purpose, channel } = record;
      if (
        purpose === ENROL &&
        person?.to !== undefined &&
        (channel === 'sms' || channel === 'mail')
      ) {
        await factors.enrolDestination(person.user, { channel, to: person.to });
        audit(context, { type: 'factor_enrolled', ...of, channel });
      }
      audit(context, { type: 'verified', ...of, purpose, channel });
      if (channel === 'recovery') audit(context, { type: 'recovery_code_used', ...of, purpose });
      if (channel === 'sms' && person?.to !== undefined)
        context.waitUntil(budgets.converted(placeOf(person.to)).catch(() => {}));
      const token = resultToken(platform, challenge, record);
      return json({ status: 'verified', token }, { headers: NO_STORE });
    },
    'POST /token': async (request, context) => {
      const { data } = await readEvent<TokenInput>(request, context, { name, check: checkToken });
      const result = await redeem(data);
      if (!result) {
        audit(context, { type: 'token_refused' });
        throw new Failure('verification_failed', {
          detail: 'The token is wrong, used, or expired.',
        });
      }
      const { challenge, purpose, channel } = result;
      audit(context, { type: 'token_redeemed', challenge, purpose, channel });
      return json({ status: 'redeemed', ...result }, { headers: NO_STORE });
    },
  } satisfies Record<string, Handler>;
};

/** The same fields for everybody; a channel without messages has none to ask for again. */
const accepted = ({ challenge, record }: Issued): Response => {
  const { asked, expiresAt, resendAt, sends } = record;
  return json(
    {
      challenge,
      channel: asked,
      expiresAt: new Date(expiresAt).toISOString(),
      ...(sends.length > 0 && { resendAt: new Date(resendAt).toISOString() }),
    },
    { status: 202, headers: NO_STORE },
  );
};
