/** All scenarios, by the names that reports give them. */
import type { Scenario } from './two-factor-crash-scenario';
import { issuing, resending, uncertain } from './two-factor-crash-sends';
import {
  authenticator,
  enrolling,
  guessing,
  recovery,
  redeeming,
  sent,
} from './two-factor-crash-verifies';

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'issue by SMS': issuing('sms'),
  'issue by mail': issuing('mail'),
  'resend by SMS': resending('sms'),
  'resend by mail': resending('mail'),
  'verify the right code': sent,
  'verify and enrol': enrolling,
  'verify an authenticator': authenticator,
  'verify a recovery code': recovery,
  'verify a wrong code, then the right one': guessing('right'),
  'verify wrong codes': guessing('wrong'),
  'redeem a token': redeeming,
  'look a message up': uncertain('look-up'),
  'take a report': uncertain('callback'),
};
