/**
 * What is kept of each server and each shard. Health is that of a url, load that of a shard's name, so both outlive a
 * change of the table; and what is on its way to one that has left is counted down to the end.
 */
import type { Shard } from '../../shared/shard/topology';
import type { Facts, Go, Place } from './choose';
import { type Circuit, isClosed, WELL } from './circuit';
import { urlsOf } from './urls';

export interface KeptServer {
  readonly url: string;
  circuit: Circuit;
  /** When it last answered a request. */
  answeredAt: number;
  inFlight: number;
  isListed: boolean;
}

interface KeptLoad {
  inFlight: number;
  weight: number;
  isListed: boolean;
  /** Whether it is part of the total. */
  isUp: boolean;
}

interface KeptPlace extends Place {
  readonly servers: readonly KeptServer[];
  readonly load: KeptLoad;
  isWell: boolean;
}

export interface Ledger {
  readonly facts: Facts;
  /** Of the last table; none for those that are not in use. */
  places(): Iterable<KeptPlace>;
  update(shards: readonly Shard[]): void;
  /** `undefined` when it is not known, or not of the last table. */
  listed(url: string): KeptServer | undefined;
  /** Gives whether it has opened or closed. */
  turn(server: KeptServer, circuit: Circuit): boolean;
  /** One request more. Gives the server, and what takes it off again, to be called once. */
  add(go: Go): { readonly server: KeptServer; readonly remove: () => void };
}

export const createLedger = (): Ledger => {
  const servers = new Map<string, KeptServer>();
  const loads = new Map<string, KeptLoad>();
  let places = new Map<Shard, KeptPlace>();
  let used: readonly KeptPlace[] = [];
  let up: readonly KeptPlace[] = [];
  const total = { inFlight: 0, weight: 0 };

  const serverOf = (url: string): KeptServer =>
    servers.get(url) ?? {
      url,
      circuit: WELL,
      answeredAt: Number.NEGATIVE_INFINITY,
      inFlight: 0,
      isListed: false,
    };
  const loadOf = ({ name, weight }: Shard): KeptLoad =>
    loads.get(name) ?? { inFlight: 0, weight, isListed: false, isUp: false };

  const placeFor = (shard: Shard): KeptPlace => {
    const isUsed = !shard.down && !shard.ejected;
    const own = isUsed ? urlsOf(shard).map(serverOf) : [];
    const [first, ...others] = own;
    return {
      shard,
      servers: own,
      load: loadOf(shard),
      isWell: own.every(isWell),
      go:
        first && others.length === 0
          ? { kind: 'go', shard, url: first.url, role: 'owner', probe: false }
          : undefined,
    };
  };

  /** Anew, whenever a circuit opens or closes, or the table changes. */
  const count = (): void => {
    for (const place of places.values()) place.isWell = place.servers.every(isWell);
    for (const load of loads.values()) load.isUp = false;
    up = used.filter((place) => place.servers.some(isWell));
    total.inFlight = 0;
    total.weight = 0;
    for (const { load } of up) {
      load.isUp = true;
      total.inFlight += load.inFlight;
      total.weight += load.weight;
    }
  };

  /** Those that nobody will ask for again, and that nothing is on its way to. */
  const forget = (): void => {
    for (const [name, load] of loads) if (isOver(load)) loads.delete(name);
    for (const [url, server] of servers) if (isOver(server)) servers.delete(url);
  };

  return {
    facts: {
      // One of another table than the last: it is known by its name, and its servers by their urls.
      placeOf: (shard) => places.get(shard) ?? placeFor(shard),
      used: () => used,
      up: () => up,
      total,
    },
    places: () => places.values(),
    listed: (url) => {
      const server = servers.get(url);
      return server?.isListed ? server : undefined;
    },

    update: (shards) => {
      for (const server of servers.values()) server.isListed = false;
      for (const load of loads.values()) load.isListed = false;
      places = new Map();
      for (const shard of shards) {
        const place = placeFor(shard);
        places.set(shard, place);
        place.load.isListed = true;
        place.load.weight = shard.weight;
        loads.set(shard.name, place.load);
        for (const server of place.servers) {
          server.isListed = true;
          servers.set(server.url, server);
        }
      }
      forget();
      // One without any weight is being emptied.
      used = [...places.values()].filter(
        (place) => place.servers.length > 0 && place.shard.weight > 0,
      );
      count();
    },

    turn: (server, circuit) => {
      const hasTurned = isClosed(circuit) !== isWell(server);
      server.circuit = circuit;
      if (hasTurned) count();
      return hasTurned;
    },

    add: ({ shard, url }) => {
      const server = serverOf(url);
      const load = loadOf(shard);
      if (!server.isListed) servers.set(url, server);
      if (!load.isListed) loads.set(shard.name, load);
      server.inFlight += 1;
      load.inFlight += 1;
      if (load.isUp) total.inFlight += 1;
      return {
        server,
        remove: () => {
          server.inFlight -= 1;
          load.inFlight -= 1;
          if (load.isUp) total.inFlight -= 1;
          if (isOver(server)) servers.delete(url);
          if (isOver(load)) loads.delete(shard.name);
        },
      };
    },
  };
};

const isWell = ({ circuit }: KeptServer): boolean => isClosed(circuit);

const isOver = ({ isListed, inFlight }: KeptServer | KeptLoad): boolean =>
  !isListed && inFlight === 0;
