/** Runs once, before all tests: what they need of the machine and cannot share out among themselves. */
import { provideAiosmtpd } from './aiosmtpd-peer';
import { provideChromium } from './chromium';
import { provideHaproxy } from './haproxy';
import { provideNginx } from './nginx';
import { provideNutcracker } from './nutcracker';
import { provideRedis } from './redis';

export default (): void => {
  provideChromium();
  provideRedis();
  provideAiosmtpd();
  provideNginx();
  provideNutcracker();
  provideHaproxy();
};
