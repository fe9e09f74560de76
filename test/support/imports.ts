/** Who may import what: the direction of the arrows, and the one file in which a vendor is known. */
import path from 'node:path';

/** The files that know a vendor. Everybody else meets it through them. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  '@google-cloud/functions-framework': ['shared/hosts/functions-framework.ts'],
  '@redis/client': ['shared/store/redis-client.ts'],
  ajv: ['shared/schema/ajv.ts'],
  axios: ['shared/webhook/client.ts'],
  'libphonenumber-js': ['shared/phone.ts'],
  libsql: ['shared/sqlite/connection.ts'],
  nodemailer: ['shared/senders/smtp.ts'],
  'rate-limiter-flexible': ['shared/limits/limiter.ts', 'shared/limits/rate-limiter-flexible.d.ts'],
  twilio: ['shared/senders/twilio-client.ts'],
  uqr: ['functions/two-factor/factors/qr.ts'],
  yaml: ['shared/pipeline/document.ts'],
};

/** What loads only when it is used: a static import would slow every start. */
const LAZY = ['@redis/client', 'axios', 'libsql', 'nodemailer', 'twilio', 'uqr'];

/** The imports of a source file that break a rule, each with the rule. */
export const misplaced = (file: string, text: string, builtins: readonly string[]): string[] =>
  imports(text).flatMap(({ from, typeOnly, lazy }) => {
    const rule = brokenRule(file, { from, typeOnly, lazy }, builtins);
    return rule ? [`${from}: ${rule}`] : [];
  });

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const brokenRule = (
  file: string,
  { from, typeOnly, lazy }: Import,
  builtins: readonly string[],
): string | undefined => {
  const [top = '', name = ''] = file.split('/');
  if (from.startsWith('.')) {
    const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), from));
    if (target.startsWith('shared/')) return undefined;
    if (target === 'pipelines/pipeline.schema.json') return undefined;
    if (!target.startsWith('functions/'))
      return 'only functions/ and shared/ are part of the product';
    if (top === 'shared') return 'shared/ knows no function';
    if (file === 'functions/index.ts') return lazy ? undefined : 'the catalogue loads lazily';
    return target.startsWith(`functions/${name}/`) || target === `functions/${name}`
      ? undefined
      : 'a function knows no other function';
  }
  if (from.startsWith('node:'))
    return builtins.includes(from.slice(5)) ? undefined : 'there is no such module in node';
  const vendor = /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from;
  const homes = VENDORS[vendor];
  if (!homes) return 'not a known vendor';
  if (!homes.includes(file)) return `only ${homes.join(', ')} may know it`;
  if (LAZY.includes(vendor) && !lazy && !typeOnly) return 'is loaded at first use, by import()';
  return undefined;
};

/** Every module that the text names: static, type-only, lazy. */
const imports = (text: string): Import[] => {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, type, from = ''] of code.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"();]*?from\s+['"]([^'"]+)['"]/gm,
  ))
    found.push({ from, typeOnly: type !== undefined, lazy: false });
  for (const [, from = ''] of code.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm))
    found.push({ from, typeOnly: false, lazy: false });
  for (const [, from = ''] of code.matchAll(/(?:\bimport|\brequire)\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ from, typeOnly: false, lazy: true });
  return found;
};

/** Planted lines, to see that the rules bite. */
export const MISPLACED_IMPORTS: readonly (readonly [string, string])[] = [
  ['shared/clock.ts', "import { catalogue } from '../functions';"],
  ['shared/clock.ts', "const load = () => import('../functions/two-factor');"],
  ['functions/two-factor/index.ts', "import { x } from '../create-user';"],
  ['functions/two-factor/index.ts', "import twilio from 'twilio';"],
  ['functions/two-factor/index.ts', "import type { Twilio } from 'twilio';"],
  ['functions/two-factor/index.ts', "import { x } from '../../test/support/invoke';"],
  ['functions/index.ts', "import a from './two-factor';"],
  ['shared/senders/twilio.ts', "import twilio from 'twilio';"],
  ['shared/store/redis-client.ts', "import { createClient } from '@redis/client';"],
  ['shared/store/redis.ts', "import type { createClient } from '@redis/client';"],
  ['shared/senders/smtp.ts', "const axios = await import('axios');"],
  ['shared/clock.ts', "import left from 'left-pad';"],
  ['shared/clock.ts', "import 'undici';"],
  ['shared/clock.ts', "export { x } from 'ajv';"],
];
