import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'google-chrome-stable', 'google-chrome', 'chromium-browser'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** How long an installation may take, in ms. */
const INSTALL_TIMEOUT = 300_000;

/** Starts a headless Chromium that knows nothing and talks to nobody by itself. */
export const launchChromium = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: find() ?? missing(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** `CHROMIUM` names one that is elsewhere. */
const find = (): string | undefined => {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const places = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [process.env.CHROMIUM ?? '', ...places, MAC].find(isExecutable);
};

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return file !== '';
  } catch {
    return false;
  }
};

const INSTALL = 'apt-get update && apt-get install -y --no-install-recommends chromium';

/**
 * Installs one by apt where there is none and we may. Before the test processes begin, since two of them would
 * fight for apt's locks; a failure is left to the tests that need it.
 */
export const provideChromium = (): void => {
  if (find() !== undefined || process.getuid?.() !== 0) return;
  console.log('Installing Chromium for the browser tests …');
  spawnSync('sh', ['-c', INSTALL], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_TIMEOUT,
  });
};

const missing = (): never => {
  throw new Error(
    `The browser tests need Chromium. Install it, as root:\n\n  ${INSTALL}\n\nor name one by the environment variable CHROMIUM.`,
  );
};
