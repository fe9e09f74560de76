/** A SECRET_KEY for development: made once and kept beside the data that it protects. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIN_SECRET } from '../keys';
import type { Random } from '../random';

export const developmentSecret = (folder: string, random: Random): string => {
  const file = path.join(folder, 'secret-key');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    // `wx`: of two processes that start at once, one makes it and the other reads it.
    writeFileSync(file, Buffer.from(random.bytes(32)).toString('base64url'), {
      mode: 0o600,
      flag: 'wx',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < MIN_SECRET)
    throw new Error(`${file} holds no usable secret; delete it and start again`);
  return secret;
};
