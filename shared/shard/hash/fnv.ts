/**
 * Fowler–Noll–Vo as twemproxy has it: of the 64-bit ones only the lower half, whose bits no higher one reaches, and
 * bytes as signed characters, so that keys beyond ASCII hash otherwise than in the published function.
 */
import { type Hash32, signed } from './hash';

const START_64 = 0x84222325;
const PRIME_64 = 0x1b3;
const START_32 = 2166136261;
const PRIME_32 = 16777619;

const fnv1 =
  (start: number, prime: number): Hash32 =>
  (bytes) => {
    let hash = start;
    for (let i = 0; i < bytes.length; i++)
      hash = Math.imul(hash, prime) ^ signed(bytes[i] as number);
    return hash >>> 0;
  };

const fnv1a =
  (start: number, prime: number): Hash32 =>
  (bytes) => {
    let hash = start | 0;
    for (let i = 0; i < bytes.length; i++)
      hash = Math.imul(hash ^ signed(bytes[i] as number), prime);
    return hash >>> 0;
  };

export const fnv1x64 = fnv1(START_64, PRIME_64);
export const fnv1ax64 = fnv1a(START_64, PRIME_64);
export const fnv1x32 = fnv1(START_32, PRIME_32);
export const fnv1ax32 = fnv1a(START_32, PRIME_32);
