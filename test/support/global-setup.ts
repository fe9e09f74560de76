/** Runs once, before all tests: what they need of the machine and cannot share out among themselves. */
import { provideChromium } from './chromium';

export default provideChromium;
