/**
 * Two-factor authentication by a code of six digits, sent by SMS or mail. Fails closed: without the store nothing is
 * sent and nothing is verified. No log line, error, answer or stored record holds a code, a number or an address.
 */
import { defineFunction } from '../../shared/define';
import { readEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import { json } from '../../shared/http/response';
import { isPhoneCountry } from '../../shared/phone';
import { checkIssue, checkVerify, type IssueInput, type VerifyInput, wishOf } from './input';
import { createIssue } from './issue';
import { createVerify } from './verify';

export default defineFunction({
  name: 'two-factor',
  kind: 'event',
  summary: 'Sends one-time codes by SMS or mail and verifies them.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  needs: ['store', 'secret', 'sms', 'mail'],
  config: {
    TWO_FACTOR_COUNTRIES: {
      type: 'string',
      format: 'list',
      description:
        'Countries whose phone numbers get codes, as ISO 3166-1 alpha-2 codes in upper case; unset: all.',
      example: 'US,CA,DE',
    },
  },
  routes: {
    'POST /': {
      summary: 'Issues a challenge: 202 with its id, once the code is on its way.',
      example: { body: { user: 'first-user', phoneNumber: '+12025550123' } },
    },
    'POST /verify': {
      summary: 'Verifies a code: 200, or 401 verification_failed whatever the reason.',
    },
  },
  create: ({ TWO_FACTOR_COUNTRIES: countries }, platform) => {
    const unknown = countries?.filter((code) => !isPhoneCountry(code)) ?? [];
    if (unknown.length > 0)
      throw new TypeError(`TWO_FACTOR_COUNTRIES: not a country: ${unknown.join(', ')}`);
    const issue = createIssue(platform);
    const verify = createVerify(platform);
    return {
      'POST /': async (request, context) => {
        const event = { name: 'two-factor', check: checkIssue };
        const { data, key } = await readEvent<IssueInput>(request, context, event);
        const wish = wishOf(data, countries);
        const { challenge, expiresAt } = await issue({ wish, key, log: context.log });
        const { channel, purpose } = wish;
        context.log.info('challenge_issued', { channel, purpose });
        return json(
          { challenge, channel, expiresAt: new Date(expiresAt).toISOString() },
          { status: 202, headers: { 'cache-control': 'no-store' } },
        );
      },
      'POST /verify': async (request, context) => {
        const event = { name: 'two-factor', check: checkVerify };
        const { data } = await readEvent<VerifyInput>(request, context, event);
        const verdict = await verify(data);
        context.log.info('verification_ended', { verdict });
        if (verdict !== 'verified') throw new Failure('verification_failed');
        return json({ status: 'verified' }, { headers: { 'cache-control': 'no-store' } });
      },
    };
  },
});
