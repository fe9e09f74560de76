/** The JSON Schema (draft 7) of a topology file, for checks and for editors; what it cannot say, `read.ts` does. */
import { MODES } from './topology';

const NAME = { type: 'string', minLength: 1, maxLength: 1024 } as const;
const NAMES = { type: 'object', additionalProperties: NAME } as const;

export const TOPOLOGY_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A topology of shards',
  type: 'object',
  required: ['mode'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', description: 'For editors.' },
    mode: { type: 'string', enum: MODES, description: 'Whose placement it is.' },
    shards: {
      type: 'array',
      maxItems: 65_535,
      description:
        "The members, in the order of the peer's configuration. Mode ordinal makes them of template and replicas.",
      items: {
        type: 'object',
        required: ['address'],
        additionalProperties: false,
        properties: {
          address: {
            ...NAME,
            description: "The server string exactly as the peer's configuration has it.",
          },
          name: {
            ...NAME,
            description: "twemproxy's node name or HAProxy's server name. Default: the address.",
          },
          weight: {
            type: 'integer',
            minimum: 0,
            maximum: 65_535,
            description: 'Default 1. Only HAProxy knows 0.',
          },
          id: {
            type: 'integer',
            minimum: 1,
            maximum: 0x7fffffff,
            description: "HAProxy's server id. Default: its place in the list, from 1.",
          },
          urls: {
            type: 'array',
            maxItems: 64,
            items: NAME,
            description:
              'Its replicas, an origin each, for a router that forwards. Default: http:// and the address.',
          },
          down: { type: 'boolean', description: 'Not used, but it keeps its points.' },
          ejected: { type: 'boolean', description: 'Not in the ring, as if it were not listed.' },
        },
      },
    },
    hash: {
      ...NAME,
      description: 'The hash of the key, in modes that have a choice. Default: as the peer.',
    },
    avalanche: {
      type: 'boolean',
      description: "HAProxy's avalanche. Default: false, and true when no hash is named.",
    },
    hashTag: {
      type: 'string',
      minLength: 2,
      maxLength: 2,
      description: "twemproxy's hash_tag: only what is between the two characters is hashed.",
    },
    minimumRingSize: {
      type: 'integer',
      minimum: 1,
      maximum: 8_388_608,
      description: "Envoy's ring: fewest points. Default 1024.",
    },
    maximumRingSize: {
      type: 'integer',
      minimum: 1,
      maximum: 8_388_608,
      description: "Envoy's ring: most points. Default 8388608.",
    },
    tableSize: {
      type: 'integer',
      minimum: 2,
      maximum: 5_000_011,
      description: "Envoy's maglev: slots, a prime. Default 65537.",
    },
    table: {
      type: ['object', 'array'],
      description:
        'Modes lookup and prefix: a shard by key or beginning of a key. Mode range: spans of keys, by their bytes.',
      additionalProperties: NAME,
      items: {
        type: 'object',
        required: ['shard'],
        additionalProperties: false,
        properties: {
          from: { type: 'string', description: 'The first key. Default: the very first.' },
          to: {
            type: 'string',
            description: 'The first key that is not of it any more. Default: none.',
          },
          shard: { ...NAME, description: 'The name of a shard.' },
        },
      },
    },
    template: {
      ...NAME,
      description: 'Mode ordinal: the address of a replica, with {n} for its number.',
    },
    replicas: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'Mode ordinal: how many there are, numbered from 0.',
    },
    pins: { ...NAMES, description: 'A shard by key, whatever the mode says.' },
  },
} as const;
