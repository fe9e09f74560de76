/**
 * Whom a webhook may call: what is on the public internet, on the ports of the web, and what the operator has named.
 *
 * Without it whoever chooses a URL reaches what only this machine can reach (CWE-918). A name is judged by the very
 * answer that is connected to, so nothing can change between check and use.
 *
 * Fails closed: an address that is not known to be public, an answer with one such address in it, or none, is refused.
 */
import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './address';
import { type Allow, parseAllow } from './allow';

/** Sockets are pooled for each guard: what one has let through never serves another. */
export interface Guard {
  /**
   * What resolves a host for a connection to this port; `undefined`: it may not be called. An address is judged at
   * once; of a name, when it is asked for, every address it has: the function fails with a `ForbiddenTarget`.
   */
  resolver(host: string, port: number): LookupFunction | undefined;
}

export interface GuardOptions {
  /** @default nothing */
  readonly allow?: Allow;
  /** Where a target that is not on that list may listen. @default PUBLIC_PORTS */
  readonly ports?: readonly number[];
  /** All addresses of a name. @default the system's resolver */
  readonly lookup?: (name: string) => Promise<readonly LookupAddress[]>;
}

/** By which it is told from an error of the network, however often it is wrapped on its way. */
export const FORBIDDEN_TARGET = 'FORBIDDEN_TARGET';

/** The call is refused, for good. Carries nothing of what was found: addresses inside are nobody's business. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget';
  readonly code = FORBIDDEN_TARGET;
}

/** Those of the web. */
export const PUBLIC_PORTS: readonly number[] = [80, 443, 8080, 8443];

/** A name with more addresses than this is no service that anybody runs. */
export const MAX_ADDRESSES = 32;

/** Names for use inside only: RFC 6761, RFC 6762, RFC 8375, and `internal`, which ICANN has reserved. */
const INSIDE = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/;

export const createGuard = ({
  allow = parseAllow(''),
  ports = PUBLIC_PORTS,
  lookup = (name) => systemLookup(name, { all: true }),
}: GuardOptions = {}): Guard => {
  const ask = shared(lookup);
  const admits = (address: string, port: number): boolean =>
    allow.address(address, port) || (ports.includes(port) && isPublicAddress(address));
  return {
    resolver: (host, port) => {
      if (isIP(host) !== 0) return admits(host, port) ? nothingToResolve : undefined;
      const name = host.replace(/\.$/, '').toLowerCase();
      if (allow.name(name, port)) return resolving(() => ask(name));
      const isInside = INSIDE.test(name);
      if (!allow.hasAddresses && (isInside || !ports.includes(port))) return undefined;
      const isFine = isInside ? allow.address : admits;
      return resolving(async () => {
        const found = await ask(name);
        if (found.length > MAX_ADDRESSES || !found.every(({ address }) => isFine(address, port)))
          throw new ForbiddenTarget();
        return found;
      });
    },
  };
};

/** For calls whose target nobody but us has chosen. */
export const unguarded: Guard = {
  resolver: () => resolving((name) => systemLookup(name, { all: true })),
};

/** A question that hangs holds a thread of the process: there is one for a name at a time. */
const shared = (
  lookup: (name: string) => Promise<readonly LookupAddress[]>,
): ((name: string) => Promise<readonly LookupAddress[]>) => {
  const asked = new Map<string, Promise<readonly LookupAddress[]>>();
  return (name) => {
    const answer = asked.get(name) ?? lookup(name).finally(() => asked.delete(name));
    asked.set(name, answer);
    return answer;
  };
};

/** As `net.connect` asks: for all addresses, or for one. */
const resolving =
  (find: (name: string) => Promise<readonly LookupAddress[]>): LookupFunction =>
  (name, { all }, callback) => {
    find(name).then(
      (found) => {
        const [first] = found;
        if (!first) callback(new ForbiddenTarget(), []);
        else if (all) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

/** An address is connected to as it is. Whoever resolves a name with this has not had it judged. */
const nothingToResolve: LookupFunction = (_name, _options, callback) =>
  callback(new ForbiddenTarget(), []);
