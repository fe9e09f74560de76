/**
 * One message on its way: told to the login service, given to the provider, looked for at the provider. Each within a
 * bound. Nothing of a provider's error gets out, as those hold the message.
 */
import { Failure } from '../../shared/failure';
import { mac } from '../../shared/keys';
import { isUnsent } from '../../shared/senders/send-failure';
import type { Receipt } from '../../shared/senders/sender';
import type { Challenge } from './challenge';
import type { SealedMessage } from './compose';
import {
  afterLookUp,
  afterReport,
  SEND_TIMEOUT,
  type Send,
  type SendOutcome,
  withoutMessage,
} from './delivery';
import { mailOf, smsOf } from './message';
import type { Parts } from './parts';
import { statusUrl } from './status-url';
import { within } from './within';

export const createPost = ({
  platform,
  loginService,
}: Pick<Parts, 'platform' | 'loginService'>) => {
  const { clock, keys } = platform;
  const { current: digestKey } = keys('two-factor digest');

  const call = async (
    challenge: string,
    n: number,
    { channel }: Send,
    { to, code, locale }: SealedMessage,
  ): Promise<SendOutcome> => {
    const message = { to, code, locale, publicUrl: platform.publicUrl() };
    // The id is a capability, so it cannot be in what others get to see.
    const idempotencyKey = mac(digestKey, 'message', challenge, String(n)).toString('base64url');
    try {
      const { id } = await within<Receipt>({ clock, timeout: SEND_TIMEOUT }, (signal) => {
        if (channel === 'mail') return platform.mail(mailOf(message), { idempotencyKey, signal });
        const callback = platform.smsReports && statusUrl(platform, challenge, n);
        return platform.sms(
          { ...smsOf(message), ...(callback !== undefined && { statusCallback: callback }) },
          { idempotencyKey, signal },
        );
      });
      return { outcome: 'accepted', messageId: id };
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.code === 'send_refused')
        return { outcome: 'refused' };
      return { outcome: isUnsent(thrown) ? 'unsent' : 'unknown' };
    }
  };

  /** Before the message: whoever holds the code must find it known there. A repeat is the same to the service. */
  const register = async (
    challenge: string,
    n: number,
    record: Challenge,
    { user, code }: SealedMessage,
  ): Promise<void> => {
    if (!loginService) return;
    await within({ clock, timeout: SEND_TIMEOUT }, (signal) =>
      loginService.register(
        { challenge, n, user, purpose: record.purpose, code, expiresAt: record.expiresAt },
        signal,
      ),
    );
  };

  const lookUp = async (send: Send, message: SealedMessage | undefined): Promise<Send> => {
    // Mail leaves no trace to look for, and a message whose key is gone cannot be told from others.
    if (send.channel === 'mail' || !platform.smsReports || !message) {
      return withoutMessage(send);
    }
    const { to, code, locale } = message;
    const { text } = smsOf({ to, code, locale, publicUrl: platform.publicUrl() });
    const since = (send.sendingAt ?? send.at) - 60_000;
    const reports = platform.smsReports;
    const report = await within({ clock, timeout: SEND_TIMEOUT }, (signal) =>
      reports.find({ to, text, since }, signal),
    );
    return (report && afterReport(send, report)) ?? afterLookUp(send, clock.now());
  };

  return { call, register, lookUp };
};
