/** Paul Hsieh's SuperFastHash, as twemproxy has it: from 0 on, and signed in the third of three last bytes. */
import { type Hash32, signed } from './hash';

export const hsieh: Hash32 = (bytes) => {
  const { length } = bytes;
  const rest = length & 3;
  const end = length - rest;
  let hash = 0;
  for (let at = 0; at < end; at += 4) {
    hash = (hash + pair(bytes, at)) | 0;
    hash = (hash << 16) ^ (pair(bytes, at + 2) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  if (rest === 3) {
    hash = (hash + pair(bytes, end)) | 0;
    hash ^= hash << 16;
    hash ^= signed(bytes[end + 2] as number) << 18;
    hash = (hash + (hash >>> 11)) | 0;
  } else if (rest === 2) {
    hash = (hash + pair(bytes, end)) | 0;
    hash ^= hash << 11;
    hash = (hash + (hash >>> 17)) | 0;
  } else if (rest === 1) {
    hash = (hash + (bytes[end] as number)) | 0;
    hash ^= hash << 10;
    hash = (hash + (hash >>> 1)) | 0;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) >>> 0;
};

const pair = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
