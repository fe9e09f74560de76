import { describe, expect, test } from '@jest/globals';
import { renderLetter } from '../../../shared/templates/letter';
import { chooseLocale } from '../../../shared/templates/locale';

describe('a letter', () => {
  const letter = {
    locale: 'en',
    subject: 'Hi',
    paragraphs: ['Hello <b>Ada</b> & "co",', 'It is ready.', 'Bye.'],
    action: { label: 'Open', url: 'https://example.com/?a=1&b="2"' },
  };

  test('says the same as text and as HTML, what to do before the last paragraph', () => {
    const { subject, text, html } = renderLetter(letter);
    expect(subject).toBe('Hi');
    expect(text).toBe(
      'Hello <b>Ada</b> & "co",\n\nIt is ready.\n\nOpen:\nhttps://example.com/?a=1&b="2"\n\nBye.\n',
    );
    expect(html).toContain('<p>Hello &lt;b&gt;Ada&lt;/b&gt; &amp; &quot;co&quot;,</p>');
    expect(html).toContain(
      '<p><a href="https://example.com/?a=1&amp;b=&quot;2&quot;">Open</a></p>\n<p>Bye.</p>',
    );
  });

  test('may ask for nothing', () => {
    const { action: _, ...plain } = letter;
    expect(renderLetter(plain).html).not.toContain('<a ');
  });
});

describe('the language of a message', () => {
  test.each([
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE_ch', 'de'],
    ['zh-Hant-TW', 'zh-Hant'],
    ['zh-Hans', 'en'],
    ['pt', 'en'],
    ['', 'en'],
    ['__proto__', 'en'],
    ['../de', 'en'],
    [undefined, 'en'],
  ])('%j gets %s', (wanted, locale) => {
    expect(chooseLocale(wanted, ['en', 'de', 'zh-Hant'])).toBe(locale);
  });
});
