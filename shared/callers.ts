/**
 * Who may call: the decorator in front of every route, the same on all hosts.
 *
 * Fails closed: in production a route that is not public takes a bearer token or, for `backend`, a call that
 * one of our own pipeline steps has signed; where no token is configured the answer is 403, never open.
 */
import type { Clock } from './clock';
import type { Callers } from './define';
import { Failure } from './failure';
import type { Decorator } from './handler';
import { readBytes } from './http/body';
import { withBody } from './http/with-body';
import { equalSecrets, type Keyring } from './keys';
import { verifyWebhookSignature } from './webhook/sign';

export interface AllowOptions {
  readonly callers: Callers;
  /** Development on loopback is open. */
  readonly production: boolean;
  /** @default none: nobody may call */
  readonly adminTokens?: readonly string[];
  /** @default none: only signed steps may call */
  readonly callerTokens?: readonly string[];
  /** The keys that sign our own steps. @default none: no signature is taken */
  readonly stepKeys?: () => Keyring;
  /** Requests that the platform itself has brought, as whoever set it up has told it to. @default none */
  readonly vouched?: (request: Request) => boolean;
  readonly clock: Clock;
}

export const allow = (options: AllowOptions): Decorator => {
  const {
    callers,
    production,
    adminTokens = [],
    callerTokens = [],
    stepKeys,
    vouched,
    clock,
  } = options;
  if (callers === 'public' || !production) return (next) => next;
  const tokens = callers === 'admin' ? adminTokens : callerTokens;
  return (next) => async (request, context) => {
    if (vouched?.(request)) return next(request, context);
    const bearer = /^bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    // Every token is compared, so that the time says nothing of which one came close.
    if (bearer && tokens.reduce((found, token) => equalSecrets(token, bearer) || found, false))
      return next(request, context);
    const signature = request.headers.get('webhook-signature');
    if (callers === 'backend' && stepKeys && signature) {
      const body = await readBytes(request);
      const verified = verifyWebhookSignature({
        id: request.headers.get('webhook-id') ?? '',
        timestamp: request.headers.get('webhook-timestamp') ?? '',
        signature,
        body,
        keys: stepKeys().all.map(({ bytes }) => bytes),
        now: clock.now(),
      });
      if (verified) return next(withBody(request, body), context);
    }
    if (bearer || signature || tokens.length > 0)
      throw new Failure('unauthorized', { headers: { 'www-authenticate': 'Bearer' } });
    throw new Failure('forbidden');
  };
};
