/** Which fields end at the next hop: connections are the business of two neighbours, not of those behind them. */

/** RFC 9110 section 7.6.1, and what a hop consumes: credentials for a proxy, Expect, the length of what is re-framed. */
const HOP_BY_HOP = new Set([
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

/** Without hop-by-hop fields, those that Connection names among them, and without what `drop` says. */
export const endToEnd = (
  raw: readonly string[],
  drop: (name: string) => boolean = () => false,
): string[] => {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2)
    if ((raw[i] as string).toLowerCase() === 'connection') {
      named ??= new Set();
      for (const name of (raw[i + 1] as string).toLowerCase().split(',')) named.add(name.trim());
    }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named?.has(name) && !drop(name))
      kept.push(raw[i] as string, raw[i + 1] as string);
  }
  return kept;
};
