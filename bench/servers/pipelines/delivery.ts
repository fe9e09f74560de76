/** Five signed webhooks by hand, with the delivery code of the suite: what every row but our engines calls. */
import { systemRandom } from '../../../shared/random';
import { continueTrace } from '../../../shared/trace';
import { parseAllow } from '../../../shared/webhook/allow';
import { deliver } from '../../../shared/webhook/deliver';
import { createGuard } from '../../../shared/webhook/guard';
import { parseWebhookSecrets } from '../../../shared/webhook/sign';
import { buildStepCall } from '../../../shared/webhook/step-call';

/** Of fan-out.yaml, in its order. */
export const STEPS = ['first', 'second', 'third', 'fourth', 'fifth'] as const;

const guard = createGuard({ allow: parseAllow(process.env.WEBHOOK_ALLOW ?? '') });
const keys = parseWebhookSecrets(process.env.WEBHOOK_SECRET ?? '');
const urls = STEPS.map((_, i) => process.env[`HOOK_${i + 1}_URL`] as string);

/** Throws when the webhook does not take it. */
export const deliverStep = async (runId: string, step: number, input: unknown): Promise<void> => {
  const call = buildStepCall({
    url: urls[step] as string,
    keys,
    pipeline: 'fan-out',
    step: STEPS[step] as string,
    runId,
    input,
    now: Date.now(),
    traceparent: continueTrace(undefined, systemRandom),
  });
  // One of its own for each: a signal gets slower with every listener.
  const { signal } = new AbortController();
  const delivery = await deliver({ ...call, timeout: 10_000, signal, guard });
  if ('error' in delivery || delivery.status !== 200)
    throw new Error(`${STEPS[step]}: ${JSON.stringify(delivery)}`);
};

export const deliverAll = async (runId: string, input: unknown): Promise<void> => {
  await Promise.all(STEPS.map((_, step) => deliverStep(runId, step, input)));
};
