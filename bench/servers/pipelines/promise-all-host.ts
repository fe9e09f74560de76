/** The functions-framework host with a function that does by hand what the pipeline fan-out does, and records nothing. */
import { defineFunction } from '../../../shared/define';
import { runFunctionsFramework } from '../../../shared/hosts/functions-framework';
import { readJson } from '../../../shared/http/json';
import { json } from '../../../shared/http/response';
import { randomId, systemRandom } from '../../../shared/random';
import { assertValid, compile } from '../../../shared/schema';
import { deliverAll, STEPS } from './delivery';

const promiseAll = defineFunction({
  name: 'promise-all',
  kind: 'event',
  summary: 'Calls five webhooks and waits for them.',
  runsAt: ['node'],
  callers: 'public',
  body: { mode: 'json' },
  config: {},
  routes: { 'POST /': { summary: 'Calls all.' } },
  create: () => {
    const check = compile({ type: 'object' });
    return {
      'POST /': async (request) => {
        const input = await readJson(request);
        assertValid(check, input);
        const id = randomId(systemRandom);
        const createdAt = new Date().toISOString();
        await deliverAll(id, input);
        const endedAt = new Date().toISOString();
        const steps = Object.fromEntries(
          STEPS.map((name) => [name, { state: 'succeeded', endedAt }]),
        );
        return json({ id, state: 'succeeded', steps, createdAt, endedAt });
      },
    };
  },
});

void runFunctionsFramework({ 'promise-all': async () => ({ default: promiseAll }) });
