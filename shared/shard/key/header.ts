/** A key out of a header: of several lines of it what the peer would take. */
import type { HeaderPairs } from '../../http/headers';
import type { Duplicates, Key } from './key';
import { type ToOctets, toKey } from './octets';
import { unquotedEnd } from './peer-cookies';
import type { Wire } from './wire';

export interface HeaderOptions {
  readonly header: string;
  readonly duplicates: Duplicates;
  readonly octets: ToOctets;
  readonly wire: Wire;
}

export const headerReader = ({
  header,
  duplicates,
  octets,
  wire: { keepsEmpty },
}: HeaderOptions): ((request: Pick<Request, 'headers'>) => Key | undefined) => {
  const name = header.toLowerCase();
  const source = `header ${name}`;
  const one = TAKE[duplicates];
  return ({ headers }: { readonly headers: Headers | HeaderPairs }) => {
    if (duplicates === 'chain' && 'raw' in headers) {
      const lines = linesOf(headers, name);
      if (lines.length > 1) {
        // Code units of octets are in the order of bytes.
        const values = lines.map(octets).sort().map(toKey);
        return { value: toKey(octets(lines.join(', '))), policies: [values], source };
      }
    }
    const found = one(headers, name);
    if (found === null || (found === '' && !keepsEmpty)) return undefined;
    return { value: toKey(octets(found)), source };
  };
};

type Take = (headers: Headers | HeaderPairs, name: string) => string | null;

/** What the runtime has joined cannot be taken apart: then it stands for its first line. */
const first: Take = (headers, name) => {
  if (!('raw' in headers)) return headers.get(name);
  const raw = headers.raw();
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1] as string;
  return null;
};

const join: Take = (headers, name) => headers.get(name);

/** Source: http_find_header of HAProxy. A comma within double quotes separates nothing. */
const firstElement: Take = (headers, name) => {
  const line = first(headers, name);
  if (!line?.includes(',')) return line;
  return line.slice(0, unquotedEnd(line, 0, isComma)).trim();
};

const isComma = (unit: number): boolean => unit === 0x2c;

/** A chain of one is that one. */
const TAKE: Readonly<Record<Duplicates, Take>> = {
  first,
  join,
  'first-element': firstElement,
  chain: join,
};

const linesOf = (headers: HeaderPairs, name: string): string[] => {
  const raw = headers.raw();
  const lines: string[] = [];
  for (let at = 0; at < raw.length; at += 2)
    if (raw[at] === name) lines.push(raw[at + 1] as string);
  return lines;
};
