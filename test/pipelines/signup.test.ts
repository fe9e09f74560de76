import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseDuration } from '../../shared/duration';
import { exposed } from '../../shared/pipeline/answer';
import { buildBody } from '../../shared/pipeline/body';
import { loadDirectory } from '../../shared/pipeline/load-directory';
import { decide, next } from '../../shared/pipeline/next';
import {
  PIPELINE_DEFAULTS,
  type Pipeline,
  STEP_DEFAULTS,
  type Target,
} from '../../shared/pipeline/pipeline';
import type { Results } from '../../shared/pipeline/run';
import { compile } from '../../shared/schema';

const FUNCTIONS = ['add-defaults', 'create-user', 'email-user', 'subscribe-user', 'two-factor'];
const folder = path.resolve(__dirname, '../../pipelines');
const { pipelines, mistakes } = loadDirectory(folder, { functions: FUNCTIONS });
const signup = pipelines.find(({ name }) => name === 'signup') as Pipeline;

const REQUIRED = { username: 'ada', email: 'ada@example.com' };
const OPTIONAL = {
  phoneNumber: '+14155552671',
  newsletter: true,
  company: 'Analytical Engines',
  locale: 'en',
};
const ASKED_BY: Readonly<Record<string, keyof typeof OPTIONAL>> = {
  'confirm-phone': 'phoneNumber',
  newsletter: 'newsletter',
  crm: 'company',
};

type Field = keyof typeof OPTIONAL;
const FIELDS = Object.keys(OPTIONAL) as Field[];
const SUBSETS = Array.from({ length: 2 ** FIELDS.length }, (_, bits) =>
  FIELDS.filter((_field, i) => (bits >> i) & 1),
);

/** Carries a run through by the rules alone, every call succeeding at once, but those named. */
const carryThrough = (
  input: unknown,
  configured: (target: Target) => boolean,
  failing: readonly string[] = [],
) => {
  let results: Results = decide(signup, input, configured);
  const waves: string[][] = [];
  for (;;) {
    const { start, skip, outcome } = next(signup, results);
    for (const [name, reason] of Object.entries(skip))
      results = { ...results, [name]: { state: 'skipped', reason, attempts: 0 } };
    if (outcome) return { outcome, waves, results };
    waves.push([...start]);
    for (const name of start)
      results = {
        ...results,
        [name]: { state: failing.includes(name) ? 'failed' : 'succeeded', attempts: 1 },
      };
  }
};

describe('the file', () => {
  test('has no mistakes', () => {
    expect(mistakes).toEqual([]);
    expect(signup).toMatchObject({ name: 'signup', callers: 'public' });
  });

  test('calls four functions and one webhook', () => {
    expect(signup.steps.map(({ name, target }) => [name, target])).toEqual([
      ['create-user', { function: 'create-user' }],
      ['welcome', { function: 'email-user' }],
      ['confirm-phone', { function: 'two-factor' }],
      ['newsletter', { function: 'subscribe-user' }],
      ['crm', { webhook: 'CRM_WEBHOOK_URL', secret: 'WEBHOOK_SECRET' }],
    ]);
  });

  test('requires all but the newsletter and the customer records', () => {
    const required = signup.steps.filter((step) => step.required).map(({ name }) => name);
    expect(required).toEqual(['create-user', 'welcome', 'confirm-phone']);
  });
});

describe('the input', () => {
  const check = compile(signup.input);

  test.each(SUBSETS.map((fields) => [fields]))('takes the two required fields and %j', (fields) => {
    expect(check({ ...REQUIRED, ...pick(fields) })).toEqual([]);
  });

  test.each([
    [{}, ['/username', '/email']],
    [{ ...REQUIRED, username: '' }, ['/username']],
    [{ ...REQUIRED, username: 'x'.repeat(101) }, ['/username']],
    [{ ...REQUIRED, email: 'ada' }, ['/email']],
    // What the steps would refuse is refused at the door: later it would be a failed run.
    [{ ...REQUIRED, username: ' ' }, ['/username']],
    [{ ...REQUIRED, username: 'ada\u202e' }, ['/username']],
    [{ ...REQUIRED, phoneNumber: '202 555 0123' }, ['/phoneNumber']],
    [{ ...REQUIRED, phoneNumber: 14155552671 }, ['/phoneNumber']],
    [{ ...REQUIRED, newsletter: 'yes' }, ['/newsletter']],
    [{ ...REQUIRED, company: ['a'] }, ['/company']],
    [{ ...REQUIRED, locale: 'en_US!' }, ['/locale']],
    // A mistyped field would drop a confirmation without a word.
    [{ ...REQUIRED, phonenumber: '+14155552671' }, ['/phonenumber']],
  ])('refuses %j', (input, pointers) => {
    expect([...new Set(check(input).map(({ pointer }) => pointer))]).toEqual(pointers);
  });
});

describe('a run', () => {
  test.each(SUBSETS.map((fields) => [fields]))(
    'with %j calls exactly the steps that these ask for',
    (fields) => {
      const { outcome, waves } = carryThrough({ ...REQUIRED, ...pick(fields) }, () => true);
      const wanted = [
        'welcome',
        ...Object.keys(ASKED_BY).filter((step) => fields.includes(ASKED_BY[step] as Field)),
      ];
      expect(waves).toEqual([['create-user'], wanted]);
      expect(outcome).toBe('succeeded');
    },
  );

  test.each([{ phoneNumber: '' }, { newsletter: false }, { company: '' }, { company: {} }])(
    'takes a blank field for an absent one: %j',
    (blank) => {
      expect(compile(signup.input)({ ...REQUIRED, ...blank })).toEqual([]);
      expect(carryThrough({ ...REQUIRED, ...blank }, () => true).waves).toEqual([
        ['create-user'],
        ['welcome'],
      ]);
    },
  );

  test('skips the customer records where no URL is configured', () => {
    const { waves, results, outcome } = carryThrough(
      { ...REQUIRED, company: 'x' },
      (target) => !('webhook' in target),
    );
    expect(waves).toEqual([['create-user'], ['welcome']]);
    expect(results.crm).toEqual({ state: 'skipped', reason: 'not_configured', attempts: 0 });
    expect(outcome).toBe('succeeded');
  });

  test.each([
    [['create-user'], 'failed', [['create-user']]],
    [['welcome'], 'failed', [['create-user'], ['welcome', 'confirm-phone', 'newsletter', 'crm']]],
    [
      ['confirm-phone'],
      'failed',
      [['create-user'], ['welcome', 'confirm-phone', 'newsletter', 'crm']],
    ],
    [
      ['newsletter', 'crm'],
      'succeeded',
      [['create-user'], ['welcome', 'confirm-phone', 'newsletter', 'crm']],
    ],
  ])('in which %j fail has %s', (failing, outcome, waves) => {
    expect(carryThrough({ ...REQUIRED, ...OPTIONAL }, () => true, failing)).toMatchObject({
      outcome,
      waves,
    });
  });

  test('tells the one-time code function who and where, and shows the challenge and no more', () => {
    const step = signup.steps.find(({ name }) => name === 'confirm-phone');
    if (!step) throw new Error('the step is gone');
    expect(
      buildBody(step, { input: { ...REQUIRED, ...OPTIONAL }, answers: () => undefined }),
    ).toEqual({
      user: 'ada',
      phoneNumber: '+14155552671',
    });
    expect(exposed(step, { challenge: 'c', code: '123456' })).toEqual({ challenge: 'c' });
  });
});

describe('the schema that editors use', () => {
  const read = (name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  const { step, ...definitions } = read('pipeline.schema.json').definitions;

  test('shows the defaults that are filled in', () => {
    const { timeout, retry, after, required, secret, expose } = step.properties;
    expect(timeout.default).toBe(`${STEP_DEFAULTS.timeout / 1_000}s`);
    expect(retry.properties.attempts.default).toBe(STEP_DEFAULTS.retry.attempts);
    expect(retry.properties.backoff.default).toBe(`${STEP_DEFAULTS.retry.backoff}ms`);
    expect(retry.properties.maxBackoff.default).toBe(`${STEP_DEFAULTS.retry.maxBackoff / 1_000}s`);
    expect(retry.properties.jitter.default).toBe(STEP_DEFAULTS.retry.jitter);
    const { deadline, retention, emits } = read('pipeline.schema.json').properties;
    expect(parseDuration(deadline.default)).toBe(PIPELINE_DEFAULTS.deadline);
    expect(parseDuration(retention.default)).toBe(PIPELINE_DEFAULTS.retention);
    for (const { properties } of [emits, step.properties.undo])
      expect(parseDuration(properties.timeout.default)).toBe(STEP_DEFAULTS.timeout);
    expect(step.properties.undo.properties.secret.default).toBe('WEBHOOK_SECRET');
    expect([after.default, required.default, secret.default, expose.default]).toEqual([
      [],
      true,
      'WEBHOOK_SECRET',
      [],
    ]);
  });

  test('describes every field', () => {
    interface Field {
      readonly description?: string;
      readonly properties?: Readonly<Record<string, Field>>;
    }
    const described = (fields: Readonly<Record<string, Field>>): unknown[] =>
      Object.entries(fields).flatMap(([name, { description, properties = {} }]) => [
        [name, description],
        ...described(properties),
      ]);
    const { equality, ...plain } = definitions;
    const all = [
      ...described(read('pipeline.schema.json').properties),
      ...described(step.properties),
      ...described(equality.properties),
    ];
    for (const field of all)
      expect(field).toEqual([expect.anything(), expect.stringMatching(/\.$/)]);
    expect(Object.keys(plain).sort()).toEqual([
      'duration',
      'eventType',
      'input',
      'name',
      'pointer',
      'reference',
      'variable',
    ]);
  });

  test('stands in the first line of each file', () => {
    expect(readFileSync(path.join(folder, 'signup.yaml'), 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=\.\/pipeline\.schema\.json\n/,
    );
  });
});

function pick(fields: readonly Field[]): Partial<typeof OPTIONAL> {
  return Object.fromEntries(fields.map((field) => [field, OPTIONAL[field]]));
}
