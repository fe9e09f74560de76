import { describe, expect, test } from '@jest/globals';
import { exposed, kept, MAX_KEPT } from '../../../shared/pipeline/answer';

describe('exposed', () => {
  const answer = {
    challenge: 'x',
    channel: 'sms',
    to: { masked: '+1***', full: '+1555' },
    items: [{ id: 1, secret: 2 }],
  };

  test.each([
    [[], undefined],
    [['/challenge'], { challenge: 'x' }],
    [['/challenge', '/channel'], { challenge: 'x', channel: 'sms' }],
    [['/to/masked'], { to: { masked: '+1***' } }],
    [['/to/masked', '/to/full', '/to'], { to: { masked: '+1***', full: '+1555' } }],
    [['/items/0/id'], { items: { 0: { id: 1 } } }],
    [['/none'], undefined],
    [['/none', '/challenge'], { challenge: 'x' }],
    [['', '/challenge'], answer],
  ])('of %j is this and nothing else', (expose, shown) => {
    expect(exposed({ expose }, answer)).toEqual(shown);
  });

  test('keeps a list a list where all of it is named', () => {
    for (const expose of [
      ['/items/0', '/items'],
      ['/items', '/items/0'],
    ])
      expect(exposed({ expose }, answer)).toEqual({ items: answer.items });
  });

  test('of no JSON object is nothing', () => {
    for (const value of [undefined, null, 'text', 7])
      expect(exposed({ expose: ['/challenge'] }, value)).toBeUndefined();
  });

  test('cannot reach a prototype', () => {
    const hostile = JSON.parse('{"__proto__":{"admin":true}}');
    const shown = exposed({ expose: ['/__proto__/admin'] }, hostile) as Record<string, unknown>;
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"admin":true}}');
    expect(shown.admin).toBeUndefined();
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe('kept', () => {
  const answer = { id: 7, to: { mail: 'm', none: null }, list: [1, 2] };

  test('is what is read of the answer, by pointer; what is not there is left out', () => {
    expect(kept({ keep: ['/id', '/to/mail', '/to/none', '/list/1', '/x', ''] }, answer)).toEqual({
      '/id': 7,
      '/to/mail': 'm',
      '/to/none': null,
      '/list/1': 2,
      '': answer,
    });
  });

  test('is nothing at all where nothing is found', () => {
    expect(kept({ keep: [] }, answer)).toBeUndefined();
    expect(kept({ keep: ['/x'] }, answer)).toBeUndefined();
    for (const value of [undefined, null, 'text', 7])
      expect(kept({ keep: ['/id'] }, value)).toBeUndefined();
    expect(kept({ keep: ['/constructor', '/__proto__'] }, {})).toBeUndefined();
  });
});

describe('both', () => {
  const of = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });

  test('hold as much as a journal takes for them, and not a byte more', () => {
    expect(exposed({ expose: ['/a'] }, of(MAX_KEPT))).toEqual(of(MAX_KEPT));
    expect(exposed({ expose: ['/a'] }, of(MAX_KEPT + 1))).toBeUndefined();
    expect(kept({ keep: ['/a'] }, of(MAX_KEPT - 1))).toEqual({ '/a': of(MAX_KEPT - 1).a });
    expect(kept({ keep: ['/a'] }, of(MAX_KEPT))).toBeUndefined();
  });

  test('count bytes, not letters', () => {
    const wide = { a: '\u20ac'.repeat(MAX_KEPT / 3) };
    expect(exposed({ expose: ['/a'] }, wide)).toBeUndefined();
    expect(kept({ keep: ['/a'] }, wide)).toBeUndefined();
  });

  test('are measured apart', () => {
    const step = { expose: ['/a'], keep: ['/b'] };
    const answer = { a: 'x'.repeat(MAX_KEPT), b: 1 };
    expect([exposed(step, answer), kept(step, answer)]).toEqual([undefined, { '/b': 1 }]);
  });
});
