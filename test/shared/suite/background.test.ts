/** Works that go on whoever asks: when they begin, when they end, and what a fault of theirs does. */
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../shared/clock';
import { type AnyFunction, defineFunction } from '../../../shared/define';
import { json } from '../../../shared/http/response';
import type { Platform } from '../../../shared/platform';
import { systemRandom } from '../../../shared/random';
import { type BackgroundWork, createBackground } from '../../../shared/suite/background';
import { createSuite } from '../../../shared/suite/suite';
import { testContext } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';

const never = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const untilAborted: BackgroundWork = (signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

const start = () => {
  const clock = manualClock();
  const logged: string[] = [];
  const log = {
    ...testContext().log,
    error: (message: string, fields?: object) =>
      void logged.push(`${message} ${Object.keys(fields ?? {})}`),
  };
  return { clock, logged, ...createBackground({ clock, log, pause: 1_000 }) };
};

describe('a background work', () => {
  test('begins when the others do, or at once after that', async () => {
    const { add, begin } = start();
    const begun: string[] = [];
    add(async () => void begun.push('early'));
    await turn();
    expect(begun).toEqual([]);
    begin();
    add(async () => void begun.push('late'));
    expect(begun).toEqual(['early', 'late']);
  });

  test('is begun once, however often the begin is called', async () => {
    const { add, begin } = start();
    let begun = 0;
    add(async () => void begun++);
    begin();
    begin();
    await turn();
    expect(begun).toBe(1);
  });

  test('that throws is logged and begun again after a pause, as often as it takes', async () => {
    const { add, begin, clock, logged } = start();
    const at: number[] = [];
    const from = clock.now();
    add(async () => {
      at.push(clock.now() - from);
      if (at.length < 4) throw new Error('no store');
    });
    begin();
    await clock.advance(999);
    expect(at).toEqual([0]);
    await clock.advance(60_000);
    expect(at).toEqual([0, 1_000, 2_000, 3_000]);
    expect(logged).toEqual(Array(3).fill('background_failed error'));
  });

  test('that throws before its first wait harms no other', async () => {
    const { add, begin, logged } = start();
    let other = 0;
    add(() => {
      throw new Error('at once');
    });
    add(async () => void other++);
    begin();
    await turn();
    expect(other).toBe(1);
    expect(logged).toHaveLength(1);
  });

  test('is aborted and waited for at the stop, and never begun after it', async () => {
    const { add, begin, stop } = start();
    const seen: string[] = [];
    add(async (signal) => {
      await untilAborted(signal);
      await turn();
      seen.push('ended');
    });
    begin();
    await stop(never);
    seen.push('stopped');
    add(async () => void seen.push('late'));
    begin();
    await turn();
    expect(seen).toEqual(['ended', 'stopped']);
  });

  test('that fails because it was aborted is no fault, and one in its pause is not begun again', async () => {
    const { add, begin, stop, clock, logged } = start();
    let begun = 0;
    add(async (signal) => {
      await untilAborted(signal);
      throw new Error('aborted');
    });
    add(async () => {
      begun++;
      throw new Error('no store');
    });
    begin();
    await turn();
    await stop(never);
    await clock.advance(10_000);
    expect(begun).toBe(1);
    expect(logged).toHaveLength(1);
  });

  test('that does not end holds the stop no longer than its signal', async () => {
    const { add, begin, stop } = start();
    add(() => new Promise(() => {}));
    begin();
    const patience = new AbortController();
    let stopped = false;
    const stopping = stop(patience.signal).then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    patience.abort();
    await stopping;
    await stop(AbortSignal.abort());
  });
});

/** A suite of one function that is given the platform. */
const suiteOf = async (
  create: (platform: Platform) => void,
  environment: Readonly<Record<string, string>> = {},
) => {
  const declaration: AnyFunction = defineFunction({
    name: 'working',
    kind: 'event',
    summary: 'Works in the background.',
    runsAt: ['node'],
    callers: 'public',
    body: { mode: 'json' },
    needs: ['store', 'sms'],
    config: {},
    routes: { 'GET /': { summary: 'Nothing.' } },
    create: (_config, platform) => {
      create(platform);
      return { 'GET /': () => json({}) };
    },
  });
  return createSuite({
    catalogue: { working: async () => ({ default: declaration }) },
    environment: { FUNCTION_TARGET: 'working', STORE_URL: 'memory:', ...environment },
    folder: '/nowhere',
    ownUrl: () => 'http://localhost:8080',
    log: testContext().log,
    clock: systemClock,
    random: systemRandom,
  });
};

describe('a suite', () => {
  test('begins the works of its functions once it can be reached, and ends them before the store', async () => {
    const seen: string[] = [];
    const suite = await suiteOf(({ background, freezes, store }) => {
      expect(freezes).toBe(false);
      background(async (signal) => {
        seen.push('begun');
        await untilAborted(signal);
        await store.compareAndSwap('last', 0, 'word');
        seen.push('ended');
      });
    });
    await suite.open();
    await turn();
    expect(seen).toEqual([]);
    await suite.resume();
    await turn();
    expect(seen).toEqual(['begun']);
    await suite.stop(never);
    expect(seen).toEqual(['begun', 'ended']);
    await suite.close();
  });

  test('asks nobody for reports while messages go to the outbox', async () => {
    const suite = await suiteOf(({ smsReports }) => expect(smsReports).toBeUndefined());
    await suite.close();
  });

  test('knows the reports of Twilio by each of its auth tokens', async () => {
    const { signCallback } = await import('../../support/twilio-callbacks');
    const accountSid = `AC${'0a'.repeat(16)}`;
    const parameters = {
      AccountSid: accountSid,
      From: '+14155550100',
      MessageSid: `SM${'0b'.repeat(16)}`,
      MessageStatus: 'delivered',
    };
    const url = 'https://login.example.com/status';
    const read: unknown[] = [];
    const suite = await suiteOf(
      ({ smsReports }) => {
        for (const token of ['first-token', 'second-token', 'third-token'])
          read.push(smsReports?.read(signCallback(token, url, parameters))?.state);
      },
      {
        TWILIO_ACCOUNT_SID: accountSid,
        TWILIO_AUTH_TOKEN: 'first-token, second-token',
        TWILIO_FROM: '+14155550100',
      },
    );
    await suite.close();
    expect(read).toEqual(['delivered', 'delivered', undefined]);
  });
});
