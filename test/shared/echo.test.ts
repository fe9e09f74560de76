import { describe, expect, test } from '@jest/globals';
import { echo } from '../../shared/echo';
import { invoke } from '../support/invoke';

describe('the echo', () => {
  test('shows JSON to the letter', async () => {
    const response = await invoke(echo, '/', {
      body: '{ "n": 1.0, "big": 12345678901234567890 }',
      headers: { 'content-type': 'application/json' },
    });
    expect(await response.text()).toContain('"body":{ "n": 1.0, "big": 12345678901234567890 }}');
  });

  test.each([
    [undefined, {}, null],
    ['plain "text"', { 'content-type': 'text/plain' }, 'plain "text"'],
  ])('shows %p', async (body, headers, expected) => {
    const response = await invoke(echo, '/a', { method: 'PUT', body, headers });
    expect(await response.json()).toMatchObject({ method: 'PUT', path: '/a', body: expected });
  });

  test('is valid JSON whatever comes, or says what is wrong', async () => {
    const headers = { 'content-type': 'application/json' };
    await expect(invoke(echo, '/', { body: '{"a":1},"x":{', headers })).rejects.toMatchObject({
      code: 'invalid_json',
    });
  });

  test('shows no credentials', async () => {
    const secret = { authorization: 'Bearer secret', 'x-api-key': 'secret', cookie: 'id=secret' };
    const response = await invoke(echo, '/', { headers: { ...secret, accept: '*/*' } });
    const answer = await response.text();
    expect(answer).toContain('"accept":"*/*"');
    expect(answer).not.toContain('secret');
  });
});
