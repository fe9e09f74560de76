/**
 * What a provider reports of a message: believed only with its signature over the address that we gave it, moved only
 * forward, and the same however often and in which order it comes.
 *
 * Fails closed: what is not provably the provider's is 403 and changes nothing.
 */
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { readBytes } from '../../shared/http/body';
import { rawQuery } from '../../shared/http/raw-query';
import { empty } from '../../shared/http/response';
import { afterReport, queueKey } from './delivery';
import { withSend } from './drain';
import type { Parts } from './parts';
import { readStatusUrl } from './status-url';

/** Bytes; a report has a dozen short fields. */
const MAX_REPORT = 8_192;

const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** `POST /status`: 204 for every report of the provider's. */
export const takeStatus =
  ({ platform, records, audit }: Parts): Handler =>
  async (request, context) => {
    const refuse = (reason: 'unsigned' | 'not_the_providers'): never => {
      audit(context, { type: 'callback_refused', reason });
      throw new Failure('invalid_signature');
    };
    const reports = platform.smsReports;
    const signature = request.headers.get('x-twilio-signature');
    if (!reports || signature === null) return refuse('unsigned');
    if (!FORM.test(request.headers.get('content-type') ?? ''))
      throw new Failure('unsupported_media_type', { detail: 'A report comes as a form.' });
    const body = new TextDecoder().decode(await readBytes(request, MAX_REPORT));
    const query = rawQuery(request.url);
    const url = `${platform.publicUrl()}/two-factor/status${query}`;
    const report = reports.read({ url, signature, body });
    const message = readStatusUrl(platform, new URLSearchParams(query));
    if (!report || !message) return refuse('not_the_providers');
    const { challenge, n } = message;
    const moved = await records.change(challenge, (latest) => {
      const send = latest.sends[n];
      const next = send && afterReport(send, report);
      return next && withSend(latest, n, next);
    });
    const send = moved?.value.sends[n];
    if (send) {
      audit(context, {
        type: 'send_state',
        challenge,
        channel: send.channel,
        state: send.state,
        ...(send.providerCode !== undefined && { providerCode: send.providerCode }),
      });
      await platform.store.delete(queueKey(message));
    }
    return empty();
  };
