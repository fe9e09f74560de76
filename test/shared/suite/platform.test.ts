/** What a function is lent goes by the needs that it declares. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../../shared/clock';
import { type AnyFunction, defineFunction } from '../../../shared/define';
import { json } from '../../../shared/http/response';
import { systemRandom } from '../../../shared/random';
import { createSuite } from '../../../shared/suite/suite';
import { testContext } from '../../support/invoke';

const counting = (needs: AnyFunction['needs']) =>
  defineFunction({
    name: 'counting',
    kind: 'event',
    summary: 'Writes down that it was called.',
    runsAt: ['node'],
    callers: 'public',
    body: { mode: 'json' },
    ...(needs && { needs }),
    config: {},
    routes: { 'GET /': { summary: 'Counts.' } },
    create: (_config, platform) => ({
      'GET /': async () => json(await platform.store.compareAndSwap('count', 0, 1)),
    }),
  });

const ask = async (declaration: AnyFunction): Promise<Response> => {
  const suite = await createSuite({
    catalogue: { counting: async () => ({ default: declaration }) },
    environment: { FUNCTION_TARGET: 'counting', STORE_URL: 'memory:' },
    folder: '/nowhere',
    ownUrl: () => 'http://localhost:8080',
    log: testContext().log,
    clock: systemClock,
    random: systemRandom,
  });
  try {
    const context = Object.assign(Object.create(testContext()), { path: '/counting' });
    return await suite.application(new Request('http://localhost/counting'), context);
  } finally {
    await suite.close();
  }
};

test('a function that declares the store has it', async () => {
  expect(await (await ask(counting(['store']))).json()).toMatchObject({ value: 1 });
});

test('a function that uses the store without declaring it is told so', async () => {
  await expect(ask(counting(undefined))).rejects.toThrow(
    'a function uses the store but does not declare it',
  );
});
