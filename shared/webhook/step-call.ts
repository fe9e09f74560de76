/**
 * The call of a step, ready to send: at once a CloudEvent in binary mode (CloudEvents HTTP binding 3.1) and a
 * Standard Webhook, under one key that stays the same for every attempt and every replay.
 */
import { signWebhook, type WebhookKey } from './sign';

export interface StepCallOptions {
  /** Names of the pipeline and of its step. */
  readonly pipeline: string;
  readonly step: string;
  readonly runId: string;
  /** What is called: the step, or what undoes it; and which wanted re-send that is. */
  readonly effect?: StepEffect | undefined;
  /** The type of the event. @default `<pipeline>.<step>` */
  readonly type?: string | undefined;
  /** What the step is given: any JSON value. */
  readonly input: unknown;
  readonly url: string;
  /** Each signs. */
  readonly keys: readonly WebhookKey[];
  /** Whether it may go out without a signature when there is no key: an event to a broker. @default false */
  readonly unsigned?: boolean | undefined;
  /** Of this attempt, ms since the epoch. */
  readonly now: number;
  /** When the step's first attempt began: the time of the event, which a repeat does not change. @default now */
  readonly startedAt?: number;
  readonly traceparent: string;
}

export interface StepCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes that are signed, to be sent as they are. */
  readonly body: Buffer;
}

export interface StepEffect {
  /** @default 1 */
  readonly generation?: number | undefined;
  /** @default false */
  readonly undo?: boolean | undefined;
}

/** Names an effect of a step: `<runId>:<step>`, then `:2` for its second generation, then `:undo` for taking it back. */
export const stepKey = (
  runId: string,
  step: string,
  { generation = 1, undo = false }: StepEffect = {},
): string => `${runId}:${step}${generation > 1 ? `:${generation}` : ''}${undo ? ':undo' : ''}`;

/** Throws a TypeError when there is no key to sign with, or no JSON to send: an unsigned call is never made. */
export const buildStepCall = (options: StepCallOptions): StepCall => {
  const { pipeline, step, runId, input, url, keys, now, startedAt = now, traceparent } = options;
  const {
    effect,
    unsigned = false,
    type = `${pipeline}.${step}${effect?.undo ? '.undo' : ''}`,
  } = options;
  const text: string | undefined = JSON.stringify(input);
  if (text === undefined) throw new TypeError('the input of a step is a JSON value');
  const body = Buffer.from(text);
  const id = stepKey(runId, step, effect);
  const timestamp = Math.floor(now / 1000);
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': type,
      'ce-source': `/${pipeline}/runs`,
      'ce-time': new Date(startedAt).toISOString(),
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...(!(unsigned && keys.length === 0) && {
        'webhook-signature': signWebhook({ id, timestamp, body, keys }),
      }),
      traceparent,
    },
  };
};
