import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'google-chrome-stable', 'google-chrome', 'chromium-browser'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** How long `launchChromium` may take when it has to install one, in ms. */
export const CHROMIUM_TIMEOUT = 300_000;

/** Starts a headless Chromium that knows nothing and talks to nobody by itself; installs one by apt where it can. */
export const launchChromium = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: find() ?? install(),
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

/** Two test processes may do this at once: apt waits for its lock. */
const INSTALL =
  'apt-get update && apt-get -o DPkg::Lock::Timeout=240 install -y --no-install-recommends chromium';

const install = (): string => {
  const { status, stderr } =
    process.getuid?.() === 0
      ? spawnSync('sh', ['-c', INSTALL], {
          env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
          encoding: 'utf8',
          timeout: CHROMIUM_TIMEOUT - 20_000,
        })
      : { status: null, stderr: 'only root may install it' };
  const found = find();
  if (found) return found;
  throw new Error(
    `The browser tests need Chromium (${stderr?.trim() || `apt-get ended with ${status}`}). Install it, as root:\n\n  ${INSTALL}\n\nor name one by the environment variable CHROMIUM.`,
  );
};
