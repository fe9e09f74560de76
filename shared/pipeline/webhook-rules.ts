/** Whether the environment has what the webhooks of a pipeline need. Values never get into a message. */
import type { Environment } from '../config';
import { isWebhookUrl } from '../webhook/request';
import { parseWebhookSecrets } from '../webhook/sign';
import type { Finding } from './finding';
import { DEFAULT_SECRET } from './pipeline';
import { type CallSketch, type StepSketch, textOf } from './sketch';

/**
 * A required step without a URL is a mistake. Of one that is not required it is a warning: it will be skipped, and
 * there will be nothing to undo. A URL without a secret, or one of them that cannot be used, is a mistake in any case,
 * and so is an undo that cannot be called.
 */
export const checkWebhook = (step: StepSketch, environment: Environment): readonly Finding[] => {
  const findings = checkCall(step, environment);
  const isSkipped = findings.some(({ severity }) => severity === 'warning');
  return step.undo && !isSkipped ? [...findings, ...checkCall(step.undo, environment)] : findings;
};

const checkCall = (call: CallSketch, environment: Environment): readonly Finding[] => {
  const webhook = textOf(call.fields.webhook);
  if (webhook === undefined || !VARIABLE.test(webhook)) return [];
  const pointer = `${call.pointer}/webhook`;
  const url = read(environment, webhook);
  if (url === undefined) return [{ pointer, ...unset(webhook, call) }];
  return [
    ...(isWebhookUrl(url)
      ? []
      : [
          {
            pointer,
            code: 'bad_webhook_url',
            message: `${webhook} must be an http or https URL without a user or password`,
          },
        ]),
    ...checkSecret(call, environment),
  ];
};

const unset = (
  webhook: string,
  { kind, title, required }: CallSketch,
): Pick<Finding, 'code' | 'severity' | 'message'> => {
  const code = 'webhook_not_configured';
  if (kind === 'undo')
    return { code, message: `${webhook} is not set: ${title} could not be called` };
  return required
    ? { code, message: `${webhook} is not set, and ${title} is required` }
    : { code, severity: 'warning', message: `${webhook} is not set: ${title} will be skipped` };
};

const checkSecret = (call: CallSketch, environment: Environment): readonly Finding[] => {
  const named = textOf(call.fields.secret);
  const variable = named ?? DEFAULT_SECRET;
  if (!VARIABLE.test(variable)) return [];
  const pointer = `${call.pointer}/${named === undefined ? 'webhook' : 'secret'}`;
  const secrets = read(environment, variable);
  if (secrets === undefined)
    return [
      {
        pointer,
        code: 'webhook_secret_not_configured',
        message: `${variable} is not set: the calls of ${call.title} are signed with it`,
      },
    ];
  try {
    parseWebhookSecrets(secrets);
    return [];
  } catch (thrown) {
    return [
      {
        pointer,
        code: 'bad_webhook_secret',
        message: `${variable}: ${(thrown as TypeError).message}`,
      },
    ];
  }
};

/** What is no name of a variable has been told by then. */
const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/** Blank counts as unset, as everywhere in the environment. */
const read = (environment: Environment, variable: string): string | undefined =>
  environment[variable]?.trim() || undefined;
