/** Which packages the settings ask for, when none is installed; test/deploy/package.test.ts sees it in a project. */
import { expect, test } from '@jest/globals';
import type { Need } from '../../../shared/define';
import type { SuiteConfig } from '../../../shared/suite/environment';
import { missingPackages } from '../../../shared/suite/packages';

const asked = (needs: readonly Need[], config: object, production = false) =>
  missingPackages(new Set(needs), config as SuiteConfig, {
    production,
    missing: (name) => `${name}!`,
  }).map(({ name, message }) => `${name} ${message}`);

const MAIL = { SMTP_URL: 'smtp://localhost' };
const SMS = { TWILIO_ACCOUNT_SID: 'AC1' };

test.each<readonly [string, readonly Need[], object, readonly string[]]>([
  ['nothing, for nothing', [], { STORE_URL: 'sqlite:./a.db', ...MAIL, ...SMS }, []],
  ['SQLite, for a store by default', ['store', 'secret'], {}, ['STORE_URL libsql!']],
  ['nothing, for a store in memory', ['store'], { STORE_URL: 'memory:' }, []],
  ['Redis, for its URLs', ['store'], { STORE_URL: 'rediss://h' }, ['STORE_URL @redis/client!']],
  ['SQLite, for the outbox', ['mail'], {}, ['STORE_URL libsql!']],
  ['SQLite, for the outbox of messages', ['sms'], MAIL, ['STORE_URL libsql!']],
  ['nodemailer, for a mail server', ['mail'], MAIL, ['SMTP_URL nodemailer!']],
  ['twilio, for its account', ['sms'], SMS, ['TWILIO_ACCOUNT_SID twilio!']],
  ['SQLite and axios, for runs', ['engine'], {}, ['ENGINE_URL libsql!', 'ENGINE_URL axios!']],
  [
    'axios, for runs at Restate',
    ['engine'],
    { ENGINE_URL: 'restate+http://h:8080' },
    ['ENGINE_URL axios!'],
  ],
])('%s', (_, needs, config, packages) => {
  expect(asked(needs, config)).toEqual(packages);
});

test('production has no defaults to ask for', () => {
  expect(asked(['store', 'engine'], {}, true)).toEqual(['ENGINE_URL axios!']);
});

test('in this repository none is missing', () => {
  const needs = new Set<Need>(['store', 'mail', 'sms', 'engine']);
  expect(missingPackages(needs, { ...MAIL, ...SMS } as SuiteConfig, { production: false })).toEqual(
    [],
  );
});
