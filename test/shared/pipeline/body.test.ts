import { describe, expect, test } from '@jest/globals';
import { buildBody } from '../../../shared/pipeline/body';

const facts = (
  input: unknown,
  kept: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
) => ({
  input,
  answers: (name: string) => (Object.hasOwn(kept, name) ? kept[name] : undefined),
});

describe('the body of a call', () => {
  const input = { username: 'ada', company: { name: 'Engines' }, blank: '', none: null };

  test('is the whole input without a map', () => {
    expect(buildBody({}, facts(input))).toBe(input);
  });

  test('is the object of the map; what its pointer does not find is left out, null and blank are not', () => {
    const map = {
      user: '/username',
      name: '/company/name',
      phone: '/phone',
      blank: '/blank',
      none: '/none',
      all: '',
    };
    expect(buildBody({ input: map }, facts(input))).toEqual({
      user: 'ada',
      name: 'Engines',
      blank: '',
      none: null,
      all: input,
    });
    expect(Object.keys(buildBody({ input: map }, facts(input)) as object)).not.toContain('phone');
  });

  test('reads of an answer what was kept of it, under that very pointer, and nothing else', () => {
    const kept = {
      create: { '/id': 7, '/to': { mail: 'm' }, '': 'all' },
      constructor: { '/a': 1 },
    };
    const map = {
      id: 'create#/id',
      deeper: 'create#/to/mail',
      all: 'create#',
      none: 'create#/none',
      inherited: 'create#/constructor',
      nobody: 'nobody#/id',
      named: 'constructor#/a',
    };
    expect(buildBody({ input: map }, facts(input, kept))).toEqual({ id: 7, all: 'all', named: 1 });
  });

  test('cannot reach a prototype by the name of a member', () => {
    const built = buildBody({ input: JSON.parse('{"__proto__":"/company"}') }, facts(input));
    expect(JSON.stringify(built)).toBe('{"__proto__":{"name":"Engines"}}');
    expect((built as { name?: string }).name).toBeUndefined();
  });
});
