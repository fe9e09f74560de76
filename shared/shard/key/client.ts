/** The client's address as a key: text, or its bytes as HAProxy hashes them. */
import type { Context } from '../../handler';
import type { Key } from './key';
import type { Wire } from './wire';

export const clientReader = ({
  binaryAddress,
}: Wire): ((request: Request, context: Context) => Key | undefined) => {
  const source = 'client address';
  return (_request, { clientAddress: address }) => {
    if (address === undefined) return undefined;
    return { value: binaryAddress ? addressBytes(address) : address, source };
  };
};

/** 4 bytes or 16, in network order, of an address in its usual form. */
const addressBytes = (address: string): Uint8Array => {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number);
  const [head = '', tail = ''] = address.split('::');
  const [front, back] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<number>(8 - front.length - back.length).fill(0);
  return Uint8Array.from(
    [...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 0xff]),
  );
};

const groupsOf = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
