/** Runs once, before all tests: what they need of the machine and cannot share out among themselves. */
import { provideAiosmtpd } from './aiosmtpd-peer';
import { provideChromium } from './chromium';
import { provideRedis } from './redis';

export default (): void => {
  provideChromium();
  provideRedis();
  provideAiosmtpd();
};
