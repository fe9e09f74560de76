import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LoadPipelineOptions, loadPipeline } from '../../../shared/pipeline/load';
import { PIPELINE_DEFAULTS, STEP_DEFAULTS } from '../../../shared/pipeline/pipeline';

const SCHEMA = JSON.stringify({
  type: 'object',
  additionalProperties: false,
  properties: { username: { type: 'string' }, phoneNumber: { type: 'string' } },
});

const HEAD = 'name: demo\nsummary: A demo.\ninput: demo.schema.json\nsteps:\n';

const load = (text: string, options: Partial<LoadPipelineOptions> = {}) =>
  loadPipeline({
    file: 'pipelines/demo.yaml',
    text,
    resolve: (name) => (name === 'demo.schema.json' ? SCHEMA : undefined),
    ...options,
  });

/** `line:column code` of each mistake. */
const found = (text: string, options: Partial<LoadPipelineOptions> = {}) =>
  load(text, options).mistakes.map(({ line, column, code }) => `${line}:${column} ${code}`);

/** The mistakes of steps alone; their first line is 5. */
const foundIn = (steps: string, options: Partial<LoadPipelineOptions> = {}) =>
  found(HEAD + steps, options);

const messages = (steps: string, options: Partial<LoadPipelineOptions> = {}) =>
  load(HEAD + steps, options).mistakes.map(({ message }) => message);

describe('a file without mistakes', () => {
  test('becomes a pipeline with every default filled in', () => {
    const { pipeline, mistakes } = load(
      `${HEAD}  a: { function: create-user }\n  b: { webhook: CRM_URL, after: [a], when: /phoneNumber, required: false }\n`,
    );
    expect(mistakes).toEqual([]);
    expect(pipeline).toEqual({
      name: 'demo',
      summary: 'A demo.',
      callers: 'backend',
      input: JSON.parse(SCHEMA),
      ...PIPELINE_DEFAULTS,
      steps: [
        {
          name: 'a',
          target: { function: 'create-user' },
          after: [],
          required: true,
          expose: [],
          keep: [],
          ...STEP_DEFAULTS,
        },
        {
          name: 'b',
          target: { webhook: 'CRM_URL', secret: 'WEBHOOK_SECRET' },
          after: ['a'],
          when: '/phoneNumber',
          required: false,
          expose: [],
          keep: [],
          ...STEP_DEFAULTS,
        },
      ],
      hash: expect.stringMatching(/^[\da-f]{64}$/),
    });
  });

  test('keeps all that it says', () => {
    const { pipeline } = load(
      `${HEAD.replace('steps:', 'callers: public\nsteps:')}  a:\n    webhook: A_URL\n    secret: A_SECRET\n    input: { user: /username }\n    expose: [/challenge]\n    timeout: 1.5s\n    retry: { attempts: 2, backoff: 10ms, maxBackoff: 1m, jitter: 0 }\n`,
    );
    expect(pipeline?.callers).toBe('public');
    expect(pipeline?.steps).toEqual([
      {
        name: 'a',
        target: { webhook: 'A_URL', secret: 'A_SECRET' },
        after: [],
        required: true,
        input: { user: '/username' },
        expose: ['/challenge'],
        keep: [],
        timeout: 1_500,
        retry: { attempts: 2, backoff: 10, maxBackoff: 60_000, jitter: 0 },
      },
    ]);
  });

  test('gives its steps in topological order, and that of the file where nothing else is said', () => {
    const names = (steps: string) => load(HEAD + steps).pipeline?.steps.map(({ name }) => name);
    expect(
      names(
        '  d: { function: x, after: [b, c] }\n  c: { function: x }\n  b: { function: x, after: [a] }\n  a: { function: x }\n',
      ),
    ).toEqual(['c', 'a', 'b', 'd']);
    expect(names('  z: { function: x }\n  m: { function: x }\n  a: { function: x }\n')).toEqual([
      'z',
      'm',
      'a',
    ]);
  });

  test('gives the same hash for the same content, however it is written, and another for any other', () => {
    const hash = (text: string, schema = SCHEMA) =>
      load(text, { resolve: () => schema }).pipeline?.hash;
    const a = hash(`${HEAD}  a: { function: x, required: true, timeout: 10s }\n`);
    expect(a).toBeDefined();
    expect(
      hash(
        `# a comment\nsummary: "A demo."\nname: demo\ninput: demo.schema.json\nsteps: { a: { timeout: 10000ms, function: x } }\n`,
      ),
    ).toBe(a);
    expect(
      hash(
        `${HEAD}  a: { function: x }\n`,
        JSON.stringify({
          properties: JSON.parse(SCHEMA).properties,
          additionalProperties: false,
          type: 'object',
          $id: 'urn:x',
        }),
      ),
    ).toBe(a);
    expect(hash(`${HEAD}  a: { function: x, timeout: 11s }\n`)).not.toBe(a);
    expect(hash(`${HEAD}  a: { function: y }\n`)).not.toBe(a);
    expect(hash(`${HEAD}  a: { function: x }\n`, '{"type":"object"}')).not.toBe(a);
  });

  test('may use anchors and aliases', () => {
    const { pipeline, mistakes } = load(
      `${HEAD}  a: { function: x, retry: &often { attempts: 9 } }\n  b: { function: x, retry: *often }\n`,
    );
    expect(mistakes).toEqual([]);
    expect(pipeline?.steps.map(({ retry }) => retry.attempts)).toEqual([9, 9]);
  });

  test('means by an alias the last anchor of its name before it', () => {
    const { pipeline } = load(
      `${HEAD}  a: { function: x, when: &p /username }\n  b: { function: x, when: *p }\n  c: { function: x, when: &p /phoneNumber }\n  d: { function: x, when: *p }\n`,
    );
    expect(pipeline?.steps.map(({ when }) => when)).toEqual([
      '/username',
      '/username',
      '/phoneNumber',
      '/phoneNumber',
    ]);
  });

  test('may have Windows line ends and a byte order mark', () => {
    expect(found(`\ufeff${HEAD}  a: { function: x }\n`, { file: 'other.yaml' })).toEqual([
      '1:7 name_mismatch',
    ]);
    expect(found(`\ufeff${HEAD}  a: { function: x }\n`.replaceAll('\n', '\r\n'))).toEqual([]);
    expect(foundIn('  a: { function: x, nope: 1 }\n'.replaceAll('\n', '\r\n'))).toEqual([
      '5:21 unknown_field',
    ]);
  });
});

describe('YAML', () => {
  test.each([
    ['name: demo\n  summary: [', ['1:7 yaml_syntax', '2:13 yaml_syntax']],
    ['', ['1:1 invalid_value']],
    ['- a\n- b\n', ['1:1 invalid_value']],
    ['just text', ['1:1 invalid_value']],
  ])('that is no pipeline at all is told where: %j', (text, mistakes) => {
    expect(found(text)).toEqual(mistakes);
    expect(load(text).pipeline).toBeUndefined();
  });

  test.each([
    ['a field that stands twice', `${HEAD}  a: { function: x }\nname: demo\n`, '6:1 duplicate_key'],
    [
      'a second document',
      `${HEAD}  a: { function: x }\n---\nname: demo\n`,
      '6:1 multiple_documents',
    ],
  ])('with %s is refused', (_, text, expected) => {
    expect(found(text)).toEqual([expected]);
    expect(load(text).pipeline).toBeUndefined();
  });

  test('with a step that stands twice is refused, and the rest is checked all the same', () => {
    expect(foundIn('  a: { function: x }\n  a: { function: x, nope: 1 }\n')).toEqual([
      '6:3 duplicate_key',
      '6:21 unknown_field',
    ]);
  });

  test.each([
    ['a tag', '  a: !!map { function: x }\n', '5:12 yaml_tag'],
    ['a tag of its own', '  a: { function: !env X }\n', '5:23 yaml_tag'],
    ['a merge key', '  a: { function: x }\n  b: { <<: { function: x } }\n', '6:8 merge_key'],
    ['an alias of nothing', '  a: *b\n', '5:6 bad_alias'],
    ['an alias inside of what it names', '  a: &a { function: x, input: *a }\n', '5:31 bad_alias'],
    ['a key that is a list', '  ? [a]\n  : { function: x }\n', '5:5 yaml_syntax'],
  ])('with %s is refused', (_, steps, expected) => {
    expect(foundIn(steps)).toContain(expected);
    expect(load(HEAD + steps).pipeline).toBeUndefined();
  });

  test('1.1 by directive is refused: there yes is true', () => {
    expect(found(`%YAML 1.1\n---\n${HEAD}  a: { function: x }\n`)).toContain('1:1 yaml_directive');
  });

  test.each([
    [
      'aliases of aliases',
      () =>
        `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghij'
          .split('')
          .map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]}, `.repeat(9)}]`)
          .join('\n')}\n`,
      'too_complex',
    ],
    ['very many aliases', () => `a: &a x\nb: [${'*a ,'.repeat(60_000)}]\n`, 'too_complex'],
    ['deep nesting', () => `a: ${'['.repeat(40)}${']'.repeat(40)}\n`, 'too_complex'],
    ['very deep nesting', () => '['.repeat(100_000), 'too_complex'],
    ['very many values', () => `a: [${'1,'.repeat(30_000)}]\n`, 'too_complex'],
    ['a very long text', () => `# ${'x'.repeat(300_000)}\n`, 'too_large'],
  ])('cannot exhaust us with %s', (_, text, code) => {
    const start = performance.now();
    const { pipeline, mistakes } = load(text());
    expect(pipeline).toBeUndefined();
    expect(mistakes.map((mistake) => mistake.code)).toContain(code);
    expect(mistakes.length).toBeLessThanOrEqual(25);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test.each(['[', '{', '[{a: ', '- ', '? ', '- ? '])(
    'nested too deep to be read is told a few times, not once a level: %j',
    (part) => {
      for (const depth of [100, 3_000, 20_000]) {
        const { mistakes } = load(part.repeat(depth));
        expect(mistakes.length).toBeGreaterThan(0);
        expect(mistakes.length).toBeLessThanOrEqual(20);
        expect(mistakes.map(({ message }) => message).join()).not.toContain('call stack');
      }
    },
  );

  test('of any kind is answered with mistakes or a pipeline, never thrown', () => {
    const words = [
      'name',
      'steps',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '\n',
      '  ',
      '&a',
      '*a',
      '!!str',
      '<<',
      '"',
      "'",
      '|',
      '>',
      '#',
      'after',
      'a',
      '~',
      '\t',
      '---',
      '%YAML 1.1',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 40 }), (parts) => {
        const { pipeline, mistakes } = load(parts.join(''));
        expect(pipeline === undefined).toBe(mistakes.some(({ severity }) => severity === 'error'));
        for (const { line, column } of mistakes) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

describe('the shape', () => {
  test('of an empty pipeline lacks four fields', () => {
    expect(load('{}').mistakes.map(({ message }) => message)).toEqual([
      'name is required',
      'summary is required',
      'input is required',
      'steps is required',
    ]);
  });

  test('knows what an unknown field may have meant', () => {
    expect(load(`${HEAD}  a: { function: x, requird: false }\n`).mistakes).toEqual([
      {
        file: 'pipelines/demo.yaml',
        line: 5,
        column: 21,
        code: 'unknown_field',
        message: 'there is no field "requird"; did you mean required?',
        severity: 'error',
      },
    ]);
    expect(messages('  a: { function: x, retry: { attempt: 1 } }\n')).toEqual([
      'there is no field "attempt"; did you mean attempts?',
    ]);
    expect(load(`${HEAD}  a: { function: x }\nsumary: x\n`).mistakes[0]?.message).toContain(
      'did you mean summary?',
    );
    expect(messages('  a: { function: x, colour: red }\n')).toEqual(['there is no field "colour"']);
  });

  test.each([
    ['  a: { function: x, when: phone }\n', '5:27 bad_pointer'],
    ['  a: { function: x, when: "/a~" }\n', '5:27 bad_pointer'],
    ['  a: { function: x, input: { user: username } }\n', '5:36 bad_pointer'],
    ['  a: { function: x, input: { timeout: username } }\n', '5:39 bad_pointer'],
    ['  a: { function: x, expose: [/a, b] }\n', '5:34 bad_pointer'],
    ['  a: { function: x, timeout: 10 }\n', '5:30 bad_duration'],
    ['  a: { function: x, timeout: 10 seconds }\n', '5:30 bad_duration'],
    ['  a: { function: x, retry: { backoff: 1x } }\n', '5:39 bad_duration'],
    ['  a: { function: x, retry: { maxBackoff: PT1S } }\n', '5:42 bad_duration'],
    ['  a: { function: x, timeout: 0s }\n', '5:30 out_of_bounds'],
    ['  a: { function: x, timeout: 11m }\n', '5:30 out_of_bounds'],
    ['  a: { function: x, retry: { backoff: 2h, maxBackoff: 3h } }\n', '5:39 out_of_bounds'],
    ['  a: { function: x, retry: { maxBackoff: 2d } }\n', '5:42 out_of_bounds'],
    ['  a: { function: x, retry: { backoff: 2s, maxBackoff: 1s } }\n', '5:55 out_of_bounds'],
    ['  a: { function: x, retry: { backoff: 31s } }\n', '5:39 out_of_bounds'],
    ['  a: { function: x, retry: { attempts: 0 } }\n', '5:40 invalid_value'],
    ['  a: { function: x, retry: { attempts: 21 } }\n', '5:40 invalid_value'],
    ['  a: { function: x, retry: { attempts: 1.5 } }\n', '5:40 invalid_value'],
    ['  a: { function: x, required: "no" }\n', '5:31 invalid_value'],
    ['  a: { function: x }\n  b: { function: x, after: a }\n', '6:28 invalid_value'],
    ['  a: { function: x }\n  b: { function: x, after: [a, a] }\n', '6:28 duplicate_item'],
    ['  a: { function: Create_User }\n', '5:18 bad_name'],
    ['  Welcome: { function: x }\n', '5:3 bad_name'],
    ['  1st: { function: x }\n', '5:3 bad_name'],
    ['  a.b: { function: x }\n', '5:3 bad_name'],
    [`  ${'a'.repeat(64)}: { function: x }\n`, '5:3 bad_name'],
    ['  __proto__: { function: x }\n', '5:3 bad_name'],
    ['  a: { function: x, input: { __proto__: /username } }\n', '5:30 bad_name'],
    ['  a: { webhook: crmUrl }\n', '5:17 bad_variable'],
    ['  a: { webhook: https://crm.example.com }\n', '5:17 bad_variable'],
    ['  a: { webhook: A_URL, secret: whsec_x }\n', '5:32 bad_variable'],
    ['  a: { function: x, secret: A_SECRET }\n', '5:21 misplaced_field'],
    ['  a:\n', '5:5 invalid_value'],
    ['  a: { function: x, webhook: A_URL }\n', '5:3 bad_target'],
    ['  a: {}\n', '5:3 bad_target'],
  ])('is checked with its place: %j', (steps, expected) => {
    expect(foundIn(steps)).toContain(expected);
    expect(load(HEAD + steps).pipeline).toBeUndefined();
  });

  test('tells a mistake once', () => {
    expect(foundIn('  a: {}\n')).toEqual(['5:3 bad_target']);
    expect(foundIn('  a: { function: x, webhook: A_URL }\n')).toEqual(['5:3 bad_target']);
    expect(foundIn('  a: { webhook: x }\n', { environment: {} })).toEqual(['5:17 bad_variable']);
  });

  test('takes names and durations up to their bounds', () => {
    expect(
      foundIn(
        `  ${'a'.repeat(63)}: { function: x, timeout: 10m, retry: { attempts: 20, backoff: 1h, maxBackoff: 24h } }\n  a: { function: x, timeout: 1ms, retry: { attempts: 1 } }\n`,
      ),
    ).toEqual([]);
  });

  test('takes 100 steps and no more', () => {
    const steps = (count: number) =>
      Array.from({ length: count }, (_, i) => `  s${i}: { function: x }\n`).join('');
    expect(foundIn(steps(100))).toEqual([]);
    expect(foundIn(steps(101))).toEqual(['4:1 too_many_steps']);
    expect(found(`${HEAD.replace('steps:', 'steps: {}')}`)).toEqual(['4:1 no_steps']);
  });

  test('is told of far too many steps at once, without a look at their graph', () => {
    const steps = Array.from({ length: 6_000 }, (_, i) => `  s${i}: { after: [s${i ^ 1}] }\n`);
    const start = performance.now();
    const codes = new Set(load(HEAD + steps.join('')).mistakes.map(({ code }) => code));
    expect([...codes]).toEqual(['too_many_steps']);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('has a caller of the three', () => {
    expect(found(`${HEAD}  a: { function: x }\ncallers: everyone\n`)).toEqual([
      '6:10 invalid_value',
    ]);
  });

  test('has the name of its file', () => {
    const text = `${HEAD}  a: { function: x }\n`;
    for (const file of ['demo.yml', 'a/b/demo.yaml', 'C:\\pipelines\\demo.yaml'])
      expect(found(text, { file })).toEqual([]);
    expect(load(text, { file: 'other.yaml' }).mistakes).toEqual([
      {
        file: 'other.yaml',
        line: 1,
        column: 7,
        code: 'name_mismatch',
        message: '"demo" must be "other", the name of the file',
        severity: 'error',
      },
    ]);
  });
});

describe('the graph', () => {
  test('knows its steps', () => {
    expect(foundIn('  create: { function: x }\n  b: { function: x, after: [craete] }\n')).toEqual([
      '6:29 unknown_step',
    ]);
    expect(messages('  create: { function: x }\n  b: { function: x, after: [craete] }\n')).toEqual([
      'there is no step "craete"; did you mean create?',
    ]);
    expect(foundIn('  a: { function: x, after: [constructor] }\n')).toEqual(['5:29 unknown_step']);
  });

  test('has no step after itself', () => {
    expect(foundIn('  a: { function: x, after: [a] }\n')).toEqual(['5:29 step_after_itself']);
  });

  test('has no cycle; the message says which', () => {
    const steps =
      '  a: { function: x, after: [c] }\n  b: { function: x, after: [a] }\n  c: { function: x, after: [b] }\n';
    expect(foundIn(steps)).toEqual(['5:29 cycle']);
    expect(messages(steps)).toEqual(['these steps wait for each other: a -> b -> c -> a']);
  });

  test('has neither of two cycles, each told once, and nothing behind one', () => {
    const steps =
      '  ok: { function: x }\n  a: { function: x, after: [ok, b] }\n  b: { function: x, after: [a] }\n  c: { function: x, after: [d] }\n  d: { function: x, after: [c] }\n  e: { function: x, after: [d] }\n  f: { function: x, after: [e] }\n';
    expect(foundIn(steps)).toEqual([
      '6:33 cycle',
      '8:29 cycle',
      '10:3 unreachable_step',
      '11:3 unreachable_step',
    ]);
    expect(messages(steps)[2]).toBe(
      '"e" can never start: it waits for steps that wait for each other',
    );
  });

  test('has no required step after one that is not', () => {
    const steps = '  a: { function: x, required: false }\n  b: { function: x, after: [a] }\n';
    expect(foundIn(steps)).toEqual(['6:29 required_after_optional']);
    expect(foundIn(steps.replace('[a]', '[a], required: false'))).toEqual([]);
  });
});

describe('what a step calls', () => {
  const options = { functions: ['create-user', 'email-user'], pipelines: ['demo', 'other'] };

  test('is a function of the suite or another pipeline', () => {
    expect(foundIn('  a: { function: create-user }\n  b: { function: other }\n', options)).toEqual(
      [],
    );
    expect(foundIn('  a: { function: create-usr }\n', options)).toEqual(['5:18 unknown_function']);
    expect(messages('  a: { function: create-usr }\n', options)).toEqual([
      'there is no function "create-usr"; did you mean create-user?',
    ]);
    expect(messages('  a: { function: nothing-like-it }\n', options)).toEqual([
      'there is no function "nothing-like-it"; there are create-user, demo, email-user, other',
    ]);
  });

  test('is any function where none are given', () => {
    expect(foundIn('  a: { function: whatever }\n')).toEqual([]);
  });

  test('is not the pipeline itself', () => {
    expect(foundIn('  a: { function: demo }\n', options)).toEqual(['5:18 calls_itself']);
  });

  test('is not hidden by a pipeline of the same name', () => {
    expect(foundIn('  a: { function: x }\n', { functions: ['x', 'demo'] })).toEqual([
      '1:7 name_taken',
    ]);
  });
});

describe('the environment', () => {
  const OPTIONAL = '  a: { webhook: A_URL, required: false }\n';
  const REQUIRED = '  a: { webhook: A_URL }\n';
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

  test('is not looked at where none is given', () => {
    expect(foundIn(REQUIRED)).toEqual([]);
  });

  test.each([{}, { A_URL: '' }, { A_URL: ' ' }])(
    'without the URL is a warning for a step that is not required: %j',
    (environment) => {
      const { pipeline, mistakes } = load(HEAD + OPTIONAL, { environment });
      expect(pipeline).toBeDefined();
      expect(mistakes).toEqual([
        {
          file: 'pipelines/demo.yaml',
          line: 5,
          column: 17,
          code: 'webhook_not_configured',
          severity: 'warning',
          message: 'A_URL is not set: "a" will be skipped',
        },
      ]);
    },
  );

  test('without the URL is an error for a required step', () => {
    const { pipeline, mistakes } = load(HEAD + REQUIRED, { environment: {} });
    expect(pipeline).toBeUndefined();
    expect(mistakes).toMatchObject([{ code: 'webhook_not_configured', severity: 'error' }]);
  });

  test('with URL and secret is fine', () => {
    expect(
      foundIn(REQUIRED, {
        environment: { A_URL: 'https://crm.example.com/hook', WEBHOOK_SECRET: secret },
      }),
    ).toEqual([]);
    const own = '  a: { webhook: A_URL, secret: A_SECRET }\n';
    expect(
      foundIn(own, { environment: { A_URL: 'http://crm.test', A_SECRET: `${secret},${secret}` } }),
    ).toEqual([]);
    expect(
      foundIn(own, { environment: { A_URL: 'http://crm.test', WEBHOOK_SECRET: secret } }),
    ).toEqual(['5:32 webhook_secret_not_configured']);
  });

  test.each([
    [{ A_URL: 'ftp://canary.test', WEBHOOK_SECRET: secret }, 'bad_webhook_url'],
    [{ A_URL: 'https://user:canary@crm.test', WEBHOOK_SECRET: secret }, 'bad_webhook_url'],
    [{ A_URL: 'canary', WEBHOOK_SECRET: secret }, 'bad_webhook_url'],
    [{ A_URL: 'http://crm.test' }, 'webhook_secret_not_configured'],
    [{ A_URL: 'http://crm.test', WEBHOOK_SECRET: 'whsec_canary' }, 'bad_webhook_secret'],
  ])('with a value that cannot work is an error that does not show it', (environment, code) => {
    for (const steps of [OPTIONAL, REQUIRED]) {
      const { mistakes } = load(HEAD + steps, { environment });
      expect(mistakes).toMatchObject([{ code, severity: 'error', line: 5, column: 17 }]);
      expect(JSON.stringify(mistakes)).not.toContain('canary');
    }
  });
});

describe('the schema of the input', () => {
  const STEPS = '  a: { function: x }\n';
  const withSchema = (text: string | undefined, steps = STEPS) =>
    load(HEAD + steps, { resolve: () => text }).mistakes.map(
      ({ file, line, column, code }) => `${file}:${line}:${column} ${code}`,
    );

  test('must be there', () => {
    expect(withSchema(undefined)).toEqual(['pipelines/demo.yaml:3:8 missing_input_schema']);
  });

  test.each(['../secret.json', '/etc/passwd.json', 'a/../../b.json', 'schema.yaml', ''])(
    'is looked for in the folder of the pipeline only: %j',
    (name) => {
      const asked: string[] = [];
      const resolve = (file: string) => void asked.push(file);
      const text = `${HEAD.replace('demo.schema.json', JSON.stringify(name))}${STEPS}`;
      expect(load(text, { resolve }).mistakes).toMatchObject([
        { code: 'bad_file_name', line: 3, column: 8 },
      ]);
      expect(asked).toEqual([]);
    },
  );

  test.each([
    ['{\n  "type": "object",\n}', '3:1 invalid_json'],
    ['{ "type": "object", "type": "object" }', '1:21 invalid_json'],
    ['', '1:1 invalid_json'],
    ['[]', '1:1 invalid_schema'],
    [
      '{\n\t"type": "object",\n\t"properties": {\n\t\t"a": { "type": "strin" }\n\t}\n}',
      '4:18 invalid_schema',
    ],
    ['{ "type": "object", "nope": 1 }', '1:1 invalid_schema'],
    ['{ "type": "string", "format": "nope" }', '1:1 invalid_schema'],
    ['{ "$ref": "#/definitions/none" }', '1:1 invalid_schema'],
    ['{ "$ref": "https://example.com/schema.json" }', '1:1 invalid_schema'],
    ['{ "$schema": "https://json-schema.org/draft/2020-12/schema" }', '1:1 invalid_schema'],
    ['{ "type": "string", "pattern": "(" }', '1:1 invalid_schema'],
    ['{\n  "type": "string",\n  "examples": ["a", 7]\n}', '3:21 bad_example'],
  ])('must be one that compiles, with examples that match: %j', (text, expected) => {
    expect(withSchema(text)[0]).toBe(`pipelines/demo.schema.json:${expected}`);
    expect(load(HEAD + STEPS, { resolve: () => text }).pipeline).toBeUndefined();
  });

  test('tells of every wrong place in it', () => {
    expect(withSchema('{\n"type": "objekt",\n"required": "a"\n}')).toEqual([
      'pipelines/demo.schema.json:3:13 invalid_schema',
      'pipelines/demo.schema.json:2:9 invalid_schema',
    ]);
  });

  test('may be shared by two pipelines though it has an $id', () => {
    const text = '{ "$id": "https://example.com/shared.json", "type": "object" }';
    expect(withSchema(text)).toEqual([]);
    expect(withSchema(text)).toEqual([]);
  });

  test('shows a pointer that can never find anything', () => {
    expect(foundIn('  a: { function: x, when: /phonenumber }\n')).toEqual([
      '5:27 unknown_input_field',
    ]);
    expect(messages('  a: { function: x, when: /phonenumber }\n')).toEqual([
      'the input can have no field "phonenumber"; did you mean phoneNumber?',
    ]);
    expect(foundIn('  a: { function: x, input: { "a/b": /nope } }\n')).toEqual([
      '5:37 unknown_input_field',
    ]);
  });

  test.each([
    { type: 'object', properties: { a: { type: 'string' } } },
    {
      type: 'object',
      additionalProperties: false,
      patternProperties: { '^n': { type: 'string' } },
    },
    { type: 'object', additionalProperties: { type: 'string' } },
    { type: ['object', 'array'], additionalProperties: false },
    true,
  ])('says nothing of a pointer where it is open: %j', (schema) => {
    expect(
      withSchema(
        JSON.stringify(
          typeof schema === 'object' ? schema : { type: 'object', properties: { nope: true } },
        ),
        '  a: { function: x, when: /nope/inner }\n',
      ),
    ).toEqual([]);
  });
});

test('all mistakes come at once, in the order of the text', () => {
  const text = `name: other\nsummary: ''\ncolour: red\ninput: demo.schema.json\nsteps:\n  a: { function: nope, after: [z, b] }\n  b: { webhook: url, after: [a], when: x }\n  C: { function: x }\n`;
  expect(found(text, { functions: ['x'], environment: {} })).toEqual([
    '1:7 name_mismatch',
    '2:10 invalid_value',
    '3:1 unknown_field',
    '6:18 unknown_function',
    '6:32 unknown_step',
    '6:35 cycle',
    '7:17 bad_variable',
    '7:40 bad_pointer',
    '8:3 bad_name',
  ]);
});
