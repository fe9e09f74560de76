/** Fields that are written are well formed, whatever was written before. */
import { describe, expect, test } from '@jest/globals';
import { HeaderPairs } from '../../../shared/http/headers';
import { json } from '../../../shared/http/response';

const BAD = ['a\r\nset-cookie: x=1', 'a\nb', 'a\rb', 'a\0', '\u0100', '\x7f'];

describe('a value that could end its line', () => {
  test.each(BAD)('%j is refused, also after a good one, and again', (value) => {
    const headers = new HeaderPairs();
    headers.append('x-a', 'good');
    for (let time = 0; time < 2; time += 1) {
      expect(() => headers.append('x-a', value)).toThrow(TypeError);
      expect(() => headers.set('x-a', value)).toThrow(TypeError);
      expect(() => HeaderPairs.of({ 'x-a': value })).toThrow(TypeError);
      expect(() => json({}, { headers: { 'x-a': value } })).toThrow(TypeError);
      expect(() => HeaderPairs.of({ [`x-new-${time}`]: value })).toThrow(TypeError);
    }
  });
});

test('a name that is none is refused, however often it is tried', () => {
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'é'])
    for (let time = 0; time < 2; time += 1) {
      expect(() => HeaderPairs.of({ [name]: 'x' })).toThrow(TypeError);
      expect(() => new HeaderPairs().append(name, 'x')).toThrow(TypeError);
    }
});

test('names without end are still looked at', () => {
  for (let n = 0; n < 200; n += 1) HeaderPairs.of({ [`x-${n}`]: 'good' });
  for (let n = 0; n < 200; n += 1)
    expect(() => HeaderPairs.of({ [`x-${n}`]: 'a\r\nb' })).toThrow(TypeError);
  expect(() => HeaderPairs.of({ 'not a name': 'good' })).toThrow(TypeError);
});

test('what was said before changes nothing of what is said now', () => {
  const said = ['one', 'two', 'one', 'three'].map((value) =>
    HeaderPairs.of({ 'X-B': value }).raw(),
  );
  expect(said).toEqual([
    ['x-b', 'one'],
    ['x-b', 'two'],
    ['x-b', 'one'],
    ['x-b', 'three'],
  ]);
});
