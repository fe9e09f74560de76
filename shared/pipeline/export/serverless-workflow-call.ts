/** The call of one step in Serverless Workflow: http, emit or listen. */
import type { Pipeline, Step } from '../pipeline';
import type { ExportOptions } from './export';
import { expression, jqBody } from './jq';
import type { Plain } from './yaml';

export const stepCall = (
  pipeline: Pick<Pipeline, 'name'>,
  step: Step,
  { functionsUrl = '' }: ExportOptions,
): Readonly<Record<string, Plain>> => {
  const { name, target } = step;
  const key = `$workflow.id + ${JSON.stringify(`:${name}`)}`;
  if ('wait' in target)
    return { listen: { to: { one: { with: { type: target.wait, subject: expression(key) } } } } };
  const body = expression(
    jqBody('$workflow.input', (other) => `$context[${JSON.stringify(other)}].answer`, step.input),
  );
  const source = `/${pipeline.name}/runs`;
  if ('event' in target)
    return {
      emit: {
        event: {
          with: {
            id: expression(key),
            // A bare path is no URI for the schema of the format, but is for CloudEvents.
            source: expression(JSON.stringify(source)),
            type: target.event,
            time: expression('.startedAt'),
            datacontenttype: 'application/json',
            data: body,
          },
        },
      },
    };
  return {
    ...('webhook' in target && {
      // Secrets are to be had in no other place.
      input: { from: expression(`. + {url: $secrets.${target.webhook}}`) },
    }),
    call: 'http',
    with: {
      method: 'post',
      endpoint:
        'function' in target
          ? { uri: `${functionsUrl}/${target.function}`, authentication: { use: 'caller' } }
          : { uri: expression('.url') },
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': expression(key),
        'ce-type': `${pipeline.name}.${name}`,
        'ce-source': source,
        'ce-time': expression('.startedAt'),
        'idempotency-key': expression(key),
      },
      body,
    },
  };
};
