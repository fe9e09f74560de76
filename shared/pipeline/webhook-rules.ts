/** Whether the environment has what the webhooks of a pipeline need. Values never get into a message. */
import type { Environment } from '../config';
import { isWebhookUrl } from '../webhook/request';
import { parseWebhookSecrets } from '../webhook/sign';
import { type Finding, quote } from './finding';
import { DEFAULT_SECRET } from './pipeline';
import { type StepSketch, textOf } from './sketch';

/**
 * A required step without a URL is a mistake. Of one that is not required it is a warning: it will be skipped.
 * A URL without a secret, or one of them that cannot be used, is a mistake in either case.
 */
export const checkWebhook = (step: StepSketch, environment: Environment): readonly Finding[] => {
  const webhook = textOf(step.fields.webhook);
  if (webhook === undefined || !VARIABLE.test(webhook)) return [];
  const at = `${step.pointer}/webhook`;
  const url = read(environment, webhook);
  if (url === undefined)
    return [
      {
        pointer: at,
        code: 'webhook_not_configured',
        severity: step.required ? 'error' : 'warning',
        message: `${webhook} is not set${step.required ? `, and ${quote(step.name)} is required` : `: ${quote(step.name)} will be skipped`}`,
      },
    ];
  return [
    ...(isWebhookUrl(url)
      ? []
      : [
          {
            pointer: at,
            code: 'bad_webhook_url',
            message: `${webhook} must be an http or https URL without a user or password`,
          },
        ]),
    ...checkSecret(step, environment),
  ];
};

const checkSecret = (step: StepSketch, environment: Environment): readonly Finding[] => {
  const named = textOf(step.fields.secret);
  const variable = named ?? DEFAULT_SECRET;
  if (!VARIABLE.test(variable)) return [];
  const pointer = `${step.pointer}/${named === undefined ? 'webhook' : 'secret'}`;
  const secrets = read(environment, variable);
  if (secrets === undefined)
    return [
      {
        pointer,
        code: 'webhook_secret_not_configured',
        message: `${variable} is not set: the calls of ${quote(step.name)} are signed with it`,
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
