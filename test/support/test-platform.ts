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
  /** What would go on in the background; nobody begins it. */
  readonly works: ((signal: AbortSignal) => Promise<void>)[];
}

/** A platform of real parts that fit in memory: a still clock, the memory store, senders that keep what they got. */
export const testPlatform = (overrides: Partial<Platform> = {}): TestPlatform => {
  const clock = manualClock();
  const mails: (Mail & SendOptions)[] = [];
  const messages: (Sms & SendOptions)[] = [];
  const works: TestPlatform['works'] = [];
  return {
    production: false,
    clock,
    random: systemRandom,
    log: testContext().log,
    keys: deriveKeys('a test secret of at least 32 characters'),
    store: memoryStore({ clock }),
    mail: async (mail, options) => {
      mails.push({ ...mail, ...options });
      return {};
    },
    sms: async (sms, options) => ({ id: smsId(messages.push({ ...sms, ...options })) }),
    freezes: false,
    background: (work) => void works.push(work),
    get engine(): never {
      throw new Error('this test has no engine');
    },
    publicUrl: () => 'http://localhost:8080',
    ...overrides,
    mails,
    messages,
    works,
  } as TestPlatform;
};

/** As Twilio names messages; the first is 1. */
const smsId = (nth: number): string => `SM${nth.toString(16).padStart(32, '0')}`;
