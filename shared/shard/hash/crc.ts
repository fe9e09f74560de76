/** CRC-32 (ISO 3309, reflected) as nginx and twemproxy use it, and twemproxy's CRC-16. */
import type { Hash32 } from './hash';

/** Made at the first use: a start that needs none would wait for it. */
const crc32Table = (): Int32Array => {
  table32 ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    return crc;
  });
  return table32;
};
let table32: Int32Array | undefined;

/** The state before the first byte. */
export const CRC32_START = -1;

/** The state after one more byte. */
export const crc32Byte = (state: number, byte: number): number =>
  (crc32Table()[(state ^ byte) & 0xff] as number) ^ (state >>> 8);

/** The state after more bytes. */
export const crc32Bytes = (state: number, bytes: Uint8Array): number => {
  const table = crc32Table();
  let crc = state;
  for (let i = 0; i < bytes.length; i++)
    crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
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
const crc16Table = (): Int32Array => {
  table16 ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    return crc;
  });
  return table16;
};
let table16: Int32Array | undefined;

/** twemproxy keeps what is pushed out above the 16 bits. */
export const crc16: Hash32 = (bytes) => {
  const table = crc16Table();
  let crc = 0;
  for (let i = 0; i < bytes.length; i++)
    crc = (crc << 8) ^ (table[((crc >>> 8) ^ (bytes[i] as number)) & 0xff] as number);
  return crc >>> 0;
};
