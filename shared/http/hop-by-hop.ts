/** Which fields end at the next hop: connections are the business of two neighbours, not of those behind them. */

/** RFC 9110 section 7.6.1, and what a hop consumes: credentials for a proxy, the framing of what is framed anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** By its name in lower case. */
export const isHopByHop = (name: string): boolean => HOP_BY_HOP.has(name);

/** The names in a Connection field, in lower case. */
export const connectionOptions = (value: string): readonly string[] =>
  value
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());

/** What must not come behind a body, where it would say something of the message itself (RFC 9110 section 6.5.1). */
const NO_TRAILER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'host',
  'content-encoding',
  'content-type',
  'content-range',
  'authorization',
  'set-cookie',
  'cache-control',
  'expect',
  'max-forwards',
]);

/** The trailer fields that may go on, in lower case. */
export const trailersOnward = (raw: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (!NO_TRAILER.has(name)) kept.push(name, raw[i + 1] as string);
  }
  return kept;
};

/** Without hop-by-hop fields, those that Connection names among them, and without what `drop` says. */
export const endToEnd = (
  raw: readonly string[],
  drop: (name: string) => boolean = () => false,
): string[] => {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2)
    if ((raw[i] as string).toLowerCase() === 'connection') {
      named ??= new Set();
      for (const name of connectionOptions(raw[i + 1] as string)) named.add(name);
    }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named?.has(name) && !drop(name))
      kept.push(raw[i] as string, raw[i + 1] as string);
  }
  return kept;
};
