/** The JSON Schema (draft 7) of a key source, for checks and for editors; what it cannot say, `check.ts` does. */
import { MAX_PATTERN } from './pattern';

/** Sources within sources: `first` of `all` of one is 3. */
export const MAX_DEPTH = 3;

const NAME = { type: 'string', minLength: 1, maxLength: 256 } as const;
const DECODE = {
  type: 'boolean',
  description: 'Whether it is decoded, or taken raw. Default: as the peer of the mode.',
} as const;

const object = <const P extends Readonly<Record<string, object>>, const R extends string>(
  required: R,
  properties: P,
) => ({ type: 'object', required: [required], additionalProperties: false, properties }) as const;

/** By the member that tells what it is. */
export const LEAVES = {
  header: object('header', {
    header: { ...NAME, description: 'A header of this name.' },
    duplicates: {
      type: 'string',
      enum: ['first', 'join', 'first-element', 'chain'],
      description: 'What becomes of several lines of it. Default: as the peer of the mode.',
    },
  }),
  query: object('query', {
    query: { ...NAME, description: 'The first parameter of this name.' },
    decode: DECODE,
  }),
  path: object('path', {
    path: {
      type: ['integer', 'string'],
      minimum: 1,
      maximum: 64,
      minLength: 1,
      maxLength: MAX_PATTERN,
      description:
        'A segment of the path, from 1, or a regular expression whose first group is the key.',
    },
    decode: DECODE,
  }),
  body: object('body', {
    body: {
      type: 'string',
      maxLength: 1024,
      description: 'A JSON Pointer into a body of JSON, of which at most 64 KiB are read.',
    },
  }),
  cookie: object('cookie', {
    cookie: { ...NAME, description: 'The cookie of this name.' },
    mint: {
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: {
        ttl: {
          type: 'string',
          maxLength: 32,
          description: 'How long it is kept, such as 30d. Default: until the session ends.',
        },
        path: { type: 'string', maxLength: 256, description: 'Default: /' },
      },
      description: 'Whether one is made for who has none. Default: false.',
    },
  }),
  client: object('client', {
    client: {
      type: 'string',
      enum: ['address'],
      description: "The client's address, as TRUSTED_PROXY_HOPS lets it be known.",
    },
  }),
} as const;

const COUNT = { type: 'array', minItems: 1, maxItems: 16 } as const;

/** What holds others; `items` are checked one by one. */
export const GROUPS = {
  all: object('all', {
    all: { ...COUNT, description: 'All of these, or no key.' },
    separator: {
      type: 'string',
      maxLength: 64,
      description:
        "What stands between them. Default: nothing, and in Envoy's modes each is hashed for itself.",
    },
  }),
  first: object('first', { first: { ...COUNT, description: 'The first of these that is there.' } }),
} as const;

export type Kind = keyof typeof LEAVES | keyof typeof GROUPS;

export const KINDS = [...Object.keys(LEAVES), ...Object.keys(GROUPS)] as readonly Kind[];

const levels = (depth: number): object => ({
  anyOf: [
    ...Object.values(LEAVES),
    ...(depth > 1 ? [within('all', depth), within('first', depth)] : []),
  ],
});

const within = (kind: keyof typeof GROUPS, depth: number): object => {
  const { properties, ...rest } = GROUPS[kind];
  const members: Readonly<Record<string, object>> = properties;
  const list = { ...members[kind], items: levels(depth - 1) };
  return { ...rest, properties: { ...members, [kind]: list } };
};

export const KEY_SCHEMA = {
  type: 'object',
  description: 'Where the shard key of a request is.',
  ...levels(MAX_DEPTH),
};
