/** The targets that an operator lets pass although they are not public. Fails closed: one mistake, and none passes. */
import { BlockList, isIP } from 'node:net';
import { addRange, isInRange } from './address';

export interface Allow {
  /** Whether a name (lower case, no dot at its end) passes, whatever it resolves to. */
  name(name: string, port: number): boolean;
  address(address: string, port: number): boolean;
  /** Whether any address passes. */
  readonly hasAddresses: boolean;
}

/**
 * Reads a comma-separated list of names, addresses and ranges: `crm.example.com`, `crm.internal:9000`, `10.1.2.3`,
 * `127.0.0.1:9000`, `[::1]:9000`, `10.0.0.0/8`, `fd00::/8`. Without a port every port passes. A name stands for itself
 * alone, not for those below it. Empty entries are skipped.
 *
 * Throws a TypeError that names every mistake.
 */
export const parseAllow = (text: string): Allow => {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  const read = entries.map(readEntry);
  const mistakes = entries.filter((_, i) => read[i] === undefined);
  if (mistakes.length > 0)
    throw new TypeError(
      `not a host, host:port or CIDR range: ${mistakes.map((entry) => JSON.stringify(entry)).join(', ')}`,
    );
  const names = new Set<string>();
  const ranges = new Map<number | undefined, BlockList>();
  for (const { name, range, port } of read as Entry[]) {
    if (name !== undefined) names.add(key(name, port));
    if (range === undefined) continue;
    const list = ranges.get(port) ?? new BlockList();
    ranges.set(port, list);
    addRange(list, range);
  }
  return {
    name: (name, port) => names.has(key(name)) || names.has(key(name, port)),
    address: (address, port) =>
      !address.includes('%') &&
      [ranges.get(undefined), ranges.get(port)].some((list) => list && isInRange(list, address)),
    hasAddresses: ranges.size > 0,
  };
};

interface Entry {
  readonly name?: string;
  /** `address/bits` */
  readonly range?: string;
  readonly port?: number;
}

const key = (name: string, port?: number): string =>
  port === undefined ? name : `${name}:${port}`;

const readEntry = (text: string): Entry | undefined => readRange(text) ?? readHost(text);

const readRange = (text: string): Entry | undefined => {
  const [, bracketed, plain, bits = ''] =
    /^(?:\[([^[\]/]+)\]|([^[\]/]+))(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return undefined;
  const most = family === 6 ? 128 : 32;
  return Number(bits) <= most ? { range: `${address}/${bits || most}` } : undefined;
};

const readHost = (text: string): Entry | undefined => {
  const [, host = '', digits] = /^(\[.*\]|[^:/?#@\\]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? {} : { port: Number(digits) };
  if (port.port === 0 || (port.port ?? 0) > 65_535) return undefined;
  // Written as a URL would have it: in lower case, IDNs in Punycode, addresses in their usual form.
  if (!URL.canParse(`http://${host}/`)) return undefined;
  const name = new URL(`http://${host}/`).hostname.replace(/\.$/, '');
  const range = readRange(name);
  if (range) return { ...range, ...port };
  return /^[a-z\d_]([a-z\d_.-]*[a-z\d_])?$/.test(name) ? { name, ...port } : undefined;
};
