/** CRC-32 (ISO 3309, reflected) as nginx and twemproxy use it, and twemproxy's CRC-16. */
import type { Hash32 } from './hash';

/** The table of a reflected polynomial. */
const reflected = (polynomial: number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    return crc;
  });

const CRC32 = reflected(0xedb88320);

/** The state before the first byte. */
export const CRC32_START = -1;

/** The state after one more byte. */
export const crc32Byte = (state: number, byte: number): number =>
  (CRC32[(state ^ byte) & 0xff] as number) ^ (state >>> 8);

/** The state after more bytes. */
export const crc32Bytes = (state: number, bytes: Uint8Array): number => {
  let crc = state;
  for (let i = 0; i < bytes.length; i++)
    crc = (CRC32[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc;
};

/** The state after a number's four bytes, the lowest first. */
export const crc32Number = (state: number, value: number): number => {
  let crc = state;
  for (let shift = 0; shift < 32; shift += 8) crc = crc32Byte(crc, value >>> shift);
  return crc;
};

/** What a state stands for. */
export const crc32End = (state: number): number => ~state >>> 0;

export const crc32: Hash32 = (bytes) => crc32End(crc32Bytes(CRC32_START, bytes));

/** libmemcached's: 15 bits of the CRC. */
export const crc32Short: Hash32 = (bytes) => (crc32(bytes) >>> 16) & 0x7fff;

/** CCITT, the highest bit first. */
const CRC16 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  return crc;
});

/** twemproxy keeps what is pushed out above the 16 bits. */
export const crc16: Hash32 = (bytes) => {
  let crc = 0;
  for (let i = 0; i < bytes.length; i++)
    crc = (crc << 8) ^ (CRC16[((crc >>> 8) ^ (bytes[i] as number)) & 0xff] as number);
  return crc >>> 0;
};
