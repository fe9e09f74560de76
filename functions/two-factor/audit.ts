/**
 * What a security team wants to know afterwards, as JSON lines and, where there is a sink, as CloudEvents. A challenge
 * and a user appear as keyed references: the same in all events, and worth nothing to whoever reads them.
 *
 * Fails open: no request waits for the sink or fails with it. The line is written before the answer, whatever becomes
 * of the event; what the sink did not take is logged without its content.
 */
import type { ConfigOf, Settings } from '../../shared/config';
import type { Context } from '../../shared/handler';
import { mac } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import { randomId } from '../../shared/random';
import { parseWebhookSecrets } from '../../shared/webhook/sign';
import { AUDIT_FIELDS, type AuditEvent, allowedFields } from './audit-schema';
import { ownTarget, postSigned } from './signed-post';

export type { AuditEvent } from './audit-schema';

export const AUDIT_SETTINGS = {
  TWO_FACTOR_AUDIT_SINK: {
    type: 'string',
    format: 'uri',
    description:
      'Where audit events go as CloudEvents, besides the log; LOG_LEVEL above info leaves them to the sink alone. Default: nowhere.',
  },
  WEBHOOK_SECRET: {
    type: 'string',
    secret: true,
    shared: true,
    description: 'Signs audit events, as it does calls to webhooks. Default: they go unsigned.',
  },
} as const satisfies Settings;

/** What an event needs of a request, or of a worker between requests. */
export type AuditContext = Pick<Context, 'log' | 'waitUntil'> &
  Partial<Pick<Context, 'traceparent'>>;

/** Returns at once: the line is written, the event goes out beside the answer. Never throws. */
export type Audit = (context: AuditContext, event: AuditEvent) => void;

/** One repeat, soon. */
const RETRY = { attempts: 2, backoff: 500, maxBackoff: 500, jitter: 0.5 } as const;
/** Of one try, ms. */
const TIMEOUT = 5_000;
/** Of both, ms. */
const TOTAL = 11_000;
/** Events under way at once, and those that wait beside them; what comes on top is lost to the sink. */
export const WIDTH = 8;
export const MAX_WAITING = 1_000;

/** Throws a TypeError for a sink or secrets that cannot be used. */
export const createAudit = (
  platform: Pick<Platform, 'keys' | 'clock' | 'random'>,
  { TWO_FACTOR_AUDIT_SINK: url, WEBHOOK_SECRET: secrets }: ConfigOf<typeof AUDIT_SETTINGS>,
): Audit => {
  const { current: key } = platform.keys('two-factor audit');
  const send = url === undefined ? undefined : createSink(platform, url, secrets);
  /** 64 bits: enough to tell one from another, too few to be taken for an id. */
  const referTo = (kind: string, value: unknown): string | undefined =>
    typeof value === 'string' ? mac(key, kind, value).toString('hex').slice(0, 16) : undefined;

  return (context, event) => {
    const { type } = event;
    // The types are for us; this is for whoever gets around them.
    if (!Object.hasOwn(AUDIT_FIELDS, type)) return;
    const challengeRef = referTo('challenge', event.challenge);
    const userRef = referTo('user', event.user);
    const data = {
      ...(challengeRef !== undefined && { challengeRef }),
      ...(userRef !== undefined && { userRef }),
      ...allowedFields(event),
    };
    context.log.info('audit', { event: type, ...data });
    send?.(context, { type, subject: challengeRef, data });
  };
};

interface SinkEvent {
  readonly type: string;
  readonly subject: string | undefined;
  readonly data: object;
}

const createSink = (
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  url: string,
  secrets: string | undefined,
) => {
  const guard = ownTarget('TWO_FACTOR_AUDIT_SINK', url);
  const keys = secrets === undefined ? [] : parseWebhookSecrets(secrets);
  const { signal } = new AbortController();
  const waiting: (() => void)[] = [];
  let underWay = 0;

  const post = async ({ log, traceparent }: AuditContext, event: SinkEvent, now: number) => {
    const { type, subject, data } = event;
    const id = randomId(random);
    const outcome = await postSigned({
      ...{ url, guard, id, keys, signal, clock, random },
      ...{ retry: RETRY, timeout: TIMEOUT, total: TOTAL },
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': '/two-factor',
        'ce-type': `two-factor.${type}`,
        'ce-time': new Date(now).toISOString(),
        ...(subject !== undefined && { 'ce-subject': subject }),
        ...(traceparent !== undefined && { traceparent }),
      },
      body: Buffer.from(JSON.stringify(data)),
    });
    if (outcome.delivered) return;
    const { delivered, ...reason } = outcome;
    log.warn('audit_event_lost', { event: type, ...reason });
  };

  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    if (underWay < WIDTH) underWay += 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      await work();
    } finally {
      // The place goes to the next in line.
      const next = waiting.shift();
      if (next) next();
      else underWay -= 1;
    }
  };

  return (context: AuditContext, event: SinkEvent): void => {
    if (underWay === WIDTH && waiting.length >= MAX_WAITING) {
      context.log.warn('audit_event_lost', { event: event.type, error: 'queue_full' });
      return;
    }
    const now = clock.now();
    context.waitUntil(inTurn(() => post(context, event, now)));
  };
};
