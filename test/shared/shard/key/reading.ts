/** Readers without a server: a request of our own, with raw header lines. */
import { HeaderPairs } from '../../../../shared/http/headers';
import { systemRandom } from '../../../../shared/random';
import type { Key, KeyReader, KeySource, NoKey } from '../../../../shared/shard/key/key';
import { type KeyReaderOptions, keyReader } from '../../../../shared/shard/key/reader';
import type { Mode } from '../../../../shared/shard/topology';
import { testContext } from '../../../support/invoke';

export interface Asked {
  readonly target?: string;
  readonly origin?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
  readonly clientAddress?: string | undefined;
}

export const readerFor = (
  source: KeySource,
  mode: Mode = 'native',
  options: Partial<KeyReaderOptions> = {},
): KeyReader => keyReader(source, { mode, runtime: 'node', random: systemRandom, ...options });

/** As node:http would bring it. */
export const requestOf = ({
  target = '/',
  origin = 'http://h',
  headers = [],
  body = '',
}: Asked): Request => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  let isRead = false;
  return {
    url: `${origin}${target}`,
    headers: HeaderPairs.fromRaw(headers.flat()),
    readUpTo: async (limit: number) => {
      if (isRead) throw new TypeError('the body was read already');
      isRead = true;
      if (bytes.length > limit) throw new RangeError('the reader was to look before');
      return bytes;
    },
  } as unknown as Request;
};

/** As a web runtime would: lines are joined. */
export const webRequestOf = ({ target = '/', headers = [] }: Asked): Request => {
  const joined = new Map<string, string>();
  for (const [name, value] of headers)
    joined.set(name, joined.has(name) ? `${joined.get(name)}, ${value}` : value);
  return {
    url: `https://h${target}`,
    headers: { get: (name: string) => joined.get(name.toLowerCase()) ?? null },
  } as unknown as Request;
};

export const contextOf = ({ target = '/', ...rest }: Asked) =>
  testContext({
    path: target.split('?')[0] as string,
    ...('clientAddress' in rest && { clientAddress: rest.clientAddress }),
  });

export const read = (
  source: KeySource,
  asked: Asked,
  mode?: Mode,
): Key | NoKey | Promise<Key | NoKey> =>
  readerFor(source, mode).read(requestOf(asked), contextOf(asked));

/** What is hashed, or `missing`. */
export const valueFor = (source: KeySource, asked: Asked, mode?: Mode) => {
  const found = read(source, asked, mode);
  if (found instanceof Promise) throw new Error('nothing has to be waited for here');
  return 'missing' in found ? 'missing' : found.value;
};
