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
  /** What the step is given: any JSON value. */
  readonly input: unknown;
  readonly url: string;
  /** Each signs. */
  readonly keys: readonly WebhookKey[];
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

/** Names the effect of a step: `<runId>:<step>`. */
export const stepKey = (runId: string, step: string): string => `${runId}:${step}`;

/** Throws a TypeError when there is no key to sign with, or no JSON to send: an unsigned call is never made. */
export const buildStepCall = (options: StepCallOptions): StepCall => {
  const { pipeline, step, runId, input, url, keys, now, startedAt = now, traceparent } = options;
  const text: string | undefined = JSON.stringify(input);
  if (text === undefined) throw new TypeError('the input of a step is a JSON value');
  const body = Buffer.from(text);
  const id = stepKey(runId, step);
  const timestamp = Math.floor(now / 1000);
  return {
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': `${pipeline}.${step}`,
      'ce-source': `/${pipeline}/runs`,
      'ce-time': new Date(startedAt).toISOString(),
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signWebhook({ id, timestamp, body, keys }),
      traceparent,
    },
  };
};
