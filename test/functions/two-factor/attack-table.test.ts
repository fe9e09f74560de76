/** docs/two-factor.md: every row of its attack table has a test, every test that it names is there, and its code works. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import { createLoginService } from '../../../functions/two-factor/login-service';
import { systemClock } from '../../../shared/clock';
import { systemRandom } from '../../../shared/random';
import { closeReceivers, receiver } from '../../shared/webhook/receiver';
import { namedTests, ROWS } from './attack-names';

const PAGE = 'docs/two-factor.md';
const named = namedTests();

test.each(ROWS)('%s has a test of its name', (row) => {
  expect(named.filter(({ rows }) => rows.includes(row))).not.toEqual([]);
});

test('no test names a row that there is not', () => {
  expect(named.flatMap(({ rows }) => rows).filter((row) => !ROWS.includes(row))).toEqual([]);
});

describe(PAGE, () => {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  /** `| A1 | attack | what holds | [file](…): “name”; … |` */
  const lines = page.split('\n').filter((line) => /^\| A\d+ \|/.test(line));
  const cited = lines.flatMap((line) =>
    [...line.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\): “([^”]+)”/g)].map(
      ([, label, file, name]) => ({
        row: /A\d+/.exec(line)?.[0] as string,
        ...{ label, file, name: (name as string).replaceAll('\\|', '|') },
      }),
    ),
  );

  test('has each row once, in order', () => {
    expect(lines.map((line) => /A\d+/.exec(line)?.[0])).toEqual(ROWS);
  });

  test.each(ROWS)('names for %s tests that there are', (row) => {
    const own = cited.filter((one) => one.row === row);
    expect(own).not.toEqual([]);
    for (const { file, name, label } of own) {
      expect(file?.endsWith(`/${label}`)).toBe(true);
      const found = named.filter((one) => one.file === file && one.name === name);
      expect([file, name, found.length > 0 && found[0]?.rows.includes(row)]).toEqual([
        file,
        name,
        true,
      ]);
    }
  });
});

test.each([
  'a secret of the login service and of us',
  `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
])(`the verifier in ${PAGE} knows a code that was registered, with %s`, async (secret) => {
  const block = /```ts\n([\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] as string;
  const module = { exports: {} as { isRight: (...args: unknown[]) => boolean } };
  const { code } = transformSync(block, { loader: 'ts', format: 'cjs' });
  new Function('module', 'require', code)(module, createRequire(__filename));
  const { isRight } = module.exports;
  const peer = await receiver((response) => void response.writeHead(204).end());
  try {
    const service = createLoginService(
      { clock: systemClock, random: systemRandom },
      { LOGIN_SERVICE_URL: peer.url, LOGIN_SERVICE_SECRET: secret },
    );
    const registration = { challenge: 'c', n: 0, user: 'Zoë', purpose: 'login', code: '482913' };
    const { signal } = new AbortController();
    await service?.register({ ...registration, expiresAt: Date.UTC(2026, 0, 1) }, signal);
  } finally {
    await closeReceivers();
  }
  const registered = JSON.parse(String(peer.hits[0]?.body));
  expect(isRight(secret, registered, '482913')).toBe(true);
  expect(isRight(secret, registered, '482914')).toBe(false);
  expect(isRight(secret, { ...registered, user: 'Zoe' }, '482913')).toBe(false);
});
