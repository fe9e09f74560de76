/** Whether a setting says where members come from. Fails closed: all mistakes at once. */
import { parseDuration } from '../../duration';
import type { InputError } from '../../failure';
import { toBytes } from '../bytes';
import { validate } from '../validate';
import type { MembersSource } from './source';

type From = MembersSource['from'];

/** Which members each kind of source has beside `from`. */
const TAKEN: Readonly<Record<From, readonly string[]>> = {
  static: [],
  file: ['path', 'every'],
  dns: ['name', 'type', 'port', 'every'],
  store: ['key'],
};

/** The JSON Schema (draft 7) of a source, for checks and for editors; what it cannot say, `checkMembersSource` does. */
export const MEMBERS_SCHEMA = {
  description: 'Where the shards come from. Default: they are listed here.',
  type: 'object',
  required: ['from'],
  additionalProperties: false,
  properties: {
    from: {
      type: 'string',
      enum: ['static', 'file', 'dns', 'store'],
      description: 'The configuration itself, a file of members, a name of DNS, or the store.',
    },
    path: { type: 'string', minLength: 1, maxLength: 4096, description: 'file: its path.' },
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 254,
      description: 'dns: a whole name, such as that of a headless service; no suffix is tried.',
    },
    type: {
      type: 'string',
      enum: ['A', 'SRV'],
      description:
        'dns: SRV, where each target is a shard, or A (with AAAA), where each address is one. Default: A with a port, else SRV.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'dns, type A: the port of all.',
    },
    every: {
      type: 'string',
      description:
        'file and dns: how long to wait between two looks, from 100ms to 1h. Default: 2s for a file, 5s for dns.',
    },
    key: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description: 'store: the key of the entry. Default: shard-router/members.',
    },
  },
} as const;

const SHORTEST = 100;
const LONGEST = 3_600_000;

/** `pointer` is where the value stands in its document (RFC 6901). */
export const checkMembersSource = (value: unknown, pointer: string): readonly InputError[] => {
  const wrong = validate(MEMBERS_SCHEMA, value);
  const found = wrong.length > 0 ? wrong : [...mistakesOf(value as MembersSource)];
  return found.map((one) => ({ pointer: pointer + one.pointer, message: one.message }));
};

function* mistakesOf(source: MembersSource): Generator<InputError> {
  const taken = TAKEN[source.from];
  for (const member of Object.keys(source))
    if (member !== 'from' && !taken.includes(member))
      yield { pointer: `/${member}`, message: `is not taken from ${source.from}` };
  if ('every' in source && !isPause(source.every as string))
    yield { pointer: '/every', message: 'must be a duration from 100ms to 1h, such as 2s' };
  if (source.from === 'file' && source.path === undefined)
    yield { pointer: '/path', message: 'is required' };
  if (source.from === 'dns') yield* dnsMistakes(source);
  // A store takes no other (store/limits).
  const { key = '' } = source as { readonly key?: string };
  if (/\p{Cs}/u.test(key) || toBytes(key).length > 1024)
    yield { pointer: '/key', message: 'must be well formed, and of at most 1024 bytes' };
}

function* dnsMistakes({
  name,
  type,
  port,
}: Extract<MembersSource, { from: 'dns' }>): Generator<InputError> {
  if (name === undefined) yield { pointer: '/name', message: 'is required' };
  else if (!isName(name)) yield { pointer: '/name', message: 'must be a name of DNS' };
  if (type === 'A' && port === undefined) yield { pointer: '/port', message: 'is required' };
  if (type === 'SRV' && port !== undefined)
    yield { pointer: '/port', message: 'is in the SRV records themselves' };
}

const isPause = (text: string): boolean => {
  const ms = parseDuration(text);
  return ms !== undefined && ms >= SHORTEST && ms <= LONGEST;
};

/** Labels of letters, digits, hyphens and underscores (RFC 1123 section 2.1, RFC 2782), and no address. */
const isName = (name: string): boolean =>
  /^(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?(?:\.|$))+$/i.test(name) && !/^[\d.]+$/.test(name);
