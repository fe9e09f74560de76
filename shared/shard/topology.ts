/** What a table of shards is made of: the members, the mode, and what the mode wants to know. */

/** One member. */
export interface Shard {
  /** The server string exactly as the peer's configuration has it. */
  readonly address: string;
  /** Who it is, whatever its address: twemproxy's node name, HAProxy's server name. The address when none is given. */
  readonly name: string;
  /** Its part of the keys beside those of the others; 1 when none is given. */
  readonly weight: number;
  /** HAProxy's server id; there it is the place in the list, from 1, when none is given. */
  readonly id?: number;
  /** Not used, but its points or slots stay (nginx's `down`): its keys go to who comes next. */
  readonly down: boolean;
  /**
   * Its replicas, each an origin (`https://10.0.0.7:8443`) that holds all of its keys: any of them may answer.
   * @default one, `http://` and the address
   */
  readonly urls?: readonly string[];
  /** Not in the ring at all (twemproxy's ejection, HAProxy's `disabled`), as if it were not listed. */
  readonly ejected: boolean;
}

export const MODES = [
  'nginx-consistent',
  'nginx-hash',
  'twemproxy-ketama',
  'twemproxy-modula',
  'envoy-ring',
  'envoy-maglev',
  'haproxy-consistent',
  'jump',
  'modulo',
  'ordinal',
  'lookup',
  'prefix',
  'range',
  'native',
] as const;

export type Mode = (typeof MODES)[number];

/** A span of keys, compared by their UTF-8 bytes. */
export interface Range {
  /** The first key of it. @default from the very first */
  readonly from?: string;
  /** The first key that is not of it any more. @default to the very last */
  readonly to?: string;
  /** The name of a shard. */
  readonly shard: string;
}

export interface Topology {
  readonly mode: Mode;
  /** In the order of the peer's configuration. In mode `ordinal` those that the template makes, when none are listed. */
  readonly shards: readonly Shard[];
  /** The hash of the key, in modes that have a choice. @default what the peer takes */
  readonly hash?: string;
  /** HAProxy's `hash-type … avalanche`. @default false, and true when no hash is named */
  readonly avalanche?: boolean;
  /** twemproxy: two characters; of a key that has them, only what is between them is hashed. */
  readonly hashTag?: string;
  /** Envoy's ring: fewest points. @default 1024 */
  readonly minimumRingSize?: number;
  /** Envoy's ring: most points. @default 8388608 */
  readonly maximumRingSize?: number;
  /** Envoy's maglev: slots, a prime. @default 65537 */
  readonly tableSize?: number;
  /** `lookup` and `prefix`: the name of a shard by key or beginning of a key. `range`: spans, none over another. */
  readonly table?: Readonly<Record<string, string>> | readonly Range[];
  /** `ordinal`: the address of a replica, with `{n}` for its number, such as `db-{n}.db.svc.cluster.local`. */
  readonly template?: string;
  /** `ordinal`: how many there are, numbered from 0. */
  readonly replicas?: number;
  /** Names of shards by keys that go there whatever the mode says. */
  readonly pins?: Readonly<Record<string, string>>;
}

/** A member as a file has it: all but the address has a default. */
export type ShardInput = Pick<Shard, 'address'> & Partial<Shard>;

/** A topology as a file has it. */
export interface TopologyInput extends Omit<Topology, 'shards'> {
  /** @default none, which only `ordinal` with its template takes */
  readonly shards?: readonly ShardInput[];
  /** For editors. */
  readonly $schema?: string;
}
