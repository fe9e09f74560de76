import { deriveKeys } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import { systemRandom } from '../../shared/random';
import type { Mail, SendOptions, Sms } from '../../shared/senders/sender';
import { memoryStore } from '../../shared/store/memory';
import { testContext } from './invoke';
import { type ManualClock, manualClock } from './manual-clock';

export interface TestPlatform extends Platform {
  readonly clock: ManualClock;
  readonly mails: (Mail & SendOptions)[];
  readonly messages: (Sms & SendOptions)[];
}

/** A platform of real parts that fit in memory: a still clock, the memory store, senders that keep what they got. */
export const testPlatform = (overrides: Partial<Platform> = {}): TestPlatform => {
  const clock = manualClock();
  const mails: (Mail & SendOptions)[] = [];
  const messages: (Sms & SendOptions)[] = [];
  return {
    production: false,
    clock,
    random: systemRandom,
    log: testContext().log,
    keys: deriveKeys('a test secret of at least 32 characters'),
    store: memoryStore({ clock }),
    mail: async (mail, options) => void mails.push({ ...mail, ...options }),
    sms: async (sms, options) => void messages.push({ ...sms, ...options }),
    get engine(): never {
      throw new Error('this test has no engine');
    },
    publicUrl: () => 'http://localhost:8080',
    ...overrides,
    mails,
    messages,
  } as TestPlatform;
};
