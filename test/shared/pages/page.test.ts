import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { page } from '../../../shared/pages/page';

describe('a page', () => {
  test('allows its own style by hash and nothing else', async () => {
    const answer = page({ title: 'A & B', body: '<p>text</p>', locale: 'de', status: 400 });
    expect(answer.status).toBe(400);
    const body = await answer.text();
    expect(body).toContain('<html lang="de">');
    expect(body).toContain('<title>A &amp; B</title>');
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(body) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
