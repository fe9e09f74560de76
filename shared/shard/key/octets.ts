/**
 * Text of the network as bytes. node:http gives one character a byte, the edge decodes UTF-8; inside it is always one
 * character a byte, so that what is raw is cut, compared and matched as the peers do it.
 */
import type { KeyValue } from './key';

/** From what the runtime gives. */
export type ToOctets = (text: string) => string;

export const octetsAsNode: ToOctets = (text) => text;

export const octetsOf: ToOctets = (text) => {
  if (isAscii(text)) return text;
  let octets = '';
  for (const byte of encoder.encode(text)) octets += String.fromCharCode(byte);
  return octets;
};

const encoder = new TextEncoder();

/** As a key: ASCII stays text, which is cheaper. */
export const toKey = (octets: string): KeyValue => {
  if (isAscii(octets)) return octets;
  const bytes = new Uint8Array(octets.length);
  for (let at = 0; at < octets.length; at++) {
    const unit = octets.charCodeAt(at);
    // No byte: this is text that some host has decoded already.
    if (unit > 0xff) return octets;
    bytes[at] = unit;
  }
  return bytes;
};

const isAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
};
