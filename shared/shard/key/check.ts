/** Whether a key source can be used, with every mistake and where it is. Fails closed: with one there is no reader. */
import { parseDuration } from '../../duration';
import type { InputError } from '../../failure';
import { checkPointer } from '../../pointer';
import { type PlainSchema, validate } from '../validate';
import type { KeySource } from './key';
import { checkPattern } from './pattern';
import { GROUPS, KINDS, type Kind, LEAVES, MAX_DEPTH } from './schema';

export { KEY_SCHEMA } from './schema';

/** All mistakes, each with its JSON Pointer below `pointer`; none: it is a `KeySource`. */
export const checkKeySource = (value: unknown, pointer: string): readonly InputError[] => {
  const found = [...check(value, pointer, 1)];
  return found.length > 0 ? found : [...mints(value as KeySource, pointer)];
};

function* check(value: unknown, pointer: string, depth: number): Generator<InputError> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return yield { pointer, message: 'must be object' };
  const [kind, ...others] = KINDS.filter((one) => Object.hasOwn(value, one));
  if (kind === undefined || others.length > 0)
    return yield { pointer, message: `must have exactly one of ${KINDS.join(', ')}` };
  const schema: PlainSchema = { ...LEAVES, ...GROUPS }[kind];
  const wrong = validate(schema, value);
  for (const one of wrong) yield { ...one, pointer: pointer + one.pointer };
  const at = `${pointer}/${kind}`;
  const inner = (value as Readonly<Record<string, unknown>>)[kind];
  if (Array.isArray(inner)) yield* checkEach(inner, at, depth);
  else if (wrong.length === 0) yield* RULES[kind]?.(value as never, at) ?? [];
}

function* checkEach(sources: readonly unknown[], at: string, depth: number): Generator<InputError> {
  if (depth === MAX_DEPTH)
    return yield { pointer: at, message: `must not be deeper than ${MAX_DEPTH}` };
  if (sources.length === 0) yield { pointer: at, message: 'must NOT have fewer than 1 items' };
  for (const [i, one] of sources.entries()) yield* check(one, `${at}/${i}`, depth + 1);
}

type Rule<K extends Kind> = (
  source: Extract<KeySource, Readonly<Record<K, unknown>>>,
  at: string,
) => Iterable<InputError>;

/** RFC 9110 section 5.6.2; cookies are named so too (RFC 6265 section 4.1.1). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** What can stand in an attribute of a cookie. */
const COOKIE_PATH = /^\/[\x21-\x3a\x3c-\x7e]*$/;

const RULES: { readonly [K in Kind]?: Rule<K> } = {
  header: function* ({ header }, at) {
    if (!TOKEN.test(header)) yield { pointer: at, message: 'must be the name of a header' };
  },
  path: function* ({ path }, at) {
    const wrong = typeof path === 'string' ? checkPattern(path) : undefined;
    if (wrong !== undefined) yield { pointer: at, message: wrong };
  },
  body: function* ({ body }, at) {
    const wrong = checkPointer(body);
    if (wrong !== undefined) yield { pointer: at, message: wrong };
  },
  cookie: function* ({ cookie, mint }, at) {
    if (!TOKEN.test(cookie)) yield { pointer: at, message: 'must be the name of a cookie' };
    if (typeof mint !== 'object') return;
    const { ttl, path } = mint;
    const own = at.replace(/cookie$/, 'mint');
    if (ttl !== undefined && !parseDuration(ttl))
      yield { pointer: `${own}/ttl`, message: 'must be a duration above 0, such as 30d' };
    if (path !== undefined && !COOKIE_PATH.test(path))
      yield { pointer: `${own}/path`, message: 'must be a path, such as /' };
  },
};

/** An answer sets one cookie, and whatever comes behind a source that always finds something is never asked. */
function* mints(source: KeySource, pointer: string): Generator<InputError> {
  const [, second] = [...minting(source, pointer)];
  if (second !== undefined) yield { pointer: second, message: 'must be the only one that mints' };
  yield* idle(source, pointer);
}

function* minting(source: KeySource, pointer: string): Generator<string> {
  for (const [one, at] of childrenOf(source, pointer)) yield* minting(one, at);
  if ('cookie' in source && source.mint) yield `${pointer}/mint`;
}

function* idle(source: KeySource, pointer: string): Generator<InputError> {
  for (const [one, at] of childrenOf(source, pointer)) yield* idle(one, at);
  if (!('first' in source)) return;
  const always = source.first.findIndex(isAlwaysThere);
  if (always >= 0 && always < source.first.length - 1)
    yield {
      pointer: `${pointer}/first/${always + 1}`,
      message: 'is never asked: what stands in front is minted where it is missing',
    };
}

const isAlwaysThere = (source: KeySource): boolean => {
  if ('first' in source) return source.first.some(isAlwaysThere);
  if ('all' in source) return source.all.every(isAlwaysThere);
  return 'cookie' in source && Boolean(source.mint);
};

const childrenOf = (source: KeySource, pointer: string): (readonly [KeySource, string])[] => {
  const member = 'all' in source ? 'all' : 'first';
  const children = (source as { readonly [K in typeof member]?: readonly KeySource[] })[member];
  return (children ?? []).map((one, i) => [one, `${pointer}/${member}/${i}`] as const);
};
