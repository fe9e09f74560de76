import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { htmlDocument } from '../../../shared/pages/document';

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const directives = (answer: Response) =>
  Object.fromEntries(
    (answer.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
      const [name = '', ...values] = directive.split(' ');
      return [name, values];
    }),
  );

describe('a document with scripts', () => {
  const answer = () =>
    htmlDocument({
      title: 'T',
      body: '<p>text</p>',
      style: 'p{color:red}',
      frameStyle: 'b{}',
      scripts: ['const a = 1;', 'const b = 2;'],
    });

  test('allows each style and script by the hash of exactly what stands in it', async () => {
    const text = await answer().text();
    const inside = (tag: string) =>
      [...text.matchAll(new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 'gs'))].map(
        ([, code = '']) => code,
      );
    expect(inside('script')).toEqual(['const a = 1;', 'const b = 2;']);
    expect(directives(answer())).toMatchObject({
      'default-src': ["'none'"],
      'script-src': inside('script').map(hashOf),
      'style-src': [...inside('style'), 'b{}'].map(hashOf),
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'frame-ancestors': ["'none'"],
      'require-trusted-types-for': ["'script'"],
      'trusted-types': ["'none'"],
    });
    expect(answer().headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/);
  });

  test('without scripts may run none and talk to nobody', () => {
    const policy = directives(htmlDocument({ title: 'T', body: '' }));
    expect(policy).not.toHaveProperty('script-src');
    expect(policy).not.toHaveProperty('connect-src');
  });
});
