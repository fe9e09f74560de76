/** The mistakes of all that goes beyond one call after another: events, waits, references, undo, times. */
import { describe, expect, test } from '@jest/globals';
import { type LoadPipelineOptions, loadPipeline } from '../../../shared/pipeline/load';

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    email: { type: 'string' },
    plan: { enum: ['free', 'pro', 7, null] },
    kind: { const: 'person' },
    seats: { type: 'integer' },
    price: { type: ['number', 'null'] },
    gone: false,
    open: {},
    ref: { $ref: '#/definitions/text', type: 'boolean' },
    some: { anyOf: [{ type: 'string' }], type: 'string' },
    items: { type: 'array', items: { type: 'string' } },
    deep: { type: 'object', properties: { on: { type: 'boolean' }, '0': { type: 'boolean' } } },
    loose: { type: ['object', 'array'], properties: { '0': { type: 'boolean' } } },
  },
  definitions: { text: { type: 'string' } },
};

const HEAD = 'name: demo\nsummary: A demo.\ninput: demo.schema.json\n';

const load = (text: string, options: Partial<LoadPipelineOptions> = {}) =>
  loadPipeline({
    file: 'demo.yaml',
    text: HEAD + text,
    resolve: () => JSON.stringify(SCHEMA),
    ...options,
  });

const told = (text: string, options: Partial<LoadPipelineOptions> = {}) =>
  load(text, options).mistakes.map(
    ({ line, column, code, message, severity }) =>
      `${line}:${column} ${severity === 'warning' ? 'warning ' : ''}${code} ${message}`,
  );

/** Of fields above the steps; they begin in line 4. */
const toldAbove = (fields: string) => told(`${fields}\nsteps:\n  a: { function: x }\n`);

/** Of steps; the first stands in line 5. */
const toldOf = (...steps: string[]) => told(`steps:\n  ${steps.join('\n  ')}\n`);

describe('a pipeline', () => {
  test.each([
    [
      'on: user.signed-up',
      '4:5 invalid_value on must be an object, such as { type: user.signed-up }',
    ],
    ['on: {}', '4:1 missing_field type is required'],
    ['on: { type: a, typ: b }', '4:16 unknown_field there is no field "typ"; did you mean type?'],
    [
      'on: { type: user signed up }',
      '4:13 bad_event_type type must be 1 to 200 visible ASCII characters without a space, such as order.placed',
    ],
    ['on: { type: 7 }', '4:13 invalid_value type must be string'],
    [
      'emits: order.placed',
      '4:8 invalid_value emits must be an object, such as { type: order.placed }',
    ],
    ['emits: { input: { a: /email } }', '4:1 missing_field type is required'],
    [
      'emits: { type: é }',
      '4:16 bad_event_type type must be 1 to 200 visible ASCII characters without a space, such as order.placed',
    ],
    [
      'emits: { type: a, inputs: {} }',
      '4:19 unknown_field there is no field "inputs"; did you mean input?',
    ],
    [
      'emits: { type: a, retry: { attempt: 1 } }',
      '4:28 unknown_field there is no field "attempt"; did you mean attempts?',
    ],
    ['emits: { type: a, timeout: 11m }', '4:28 out_of_bounds timeout must be from 1ms to 10m'],
    [
      'emits: { type: a, input: { e: /emails } }',
      '4:31 unknown_input_field the input can have no field "emails"; did you mean email?',
    ],
    [
      'emits: { type: a, input: { e: email } }',
      '4:31 bad_pointer a reference is a JSON Pointer into the input, such as /email, or into the answer of a step, such as create-user#/id',
    ],
    ['emits: { type: a, input: { e: b#/id } }', '4:31 unknown_step there is no step "b"'],
    [
      'on: { type: a.done }\nemits: { type: a.done }',
      '5:16 calls_itself each run would start the next, for ever: "a.done" is what starts this pipeline; emit another type',
    ],
    ['deadline: 10', '4:11 bad_duration deadline must be a duration such as 10s'],
    ['deadline: 999ms', '4:11 out_of_bounds deadline must be from 1s to 365d'],
    ['deadline: 366d', '4:11 out_of_bounds deadline must be from 1s to 365d'],
    ['retention: 59s', '4:12 out_of_bounds retention must be from 1m to 3650d'],
    ['retention: 3651d', '4:12 out_of_bounds retention must be from 1m to 3650d'],
    ['retention: forever', '4:12 bad_duration retention must be a duration such as 10s'],
  ])('says %j in vain', (fields, mistake) => {
    expect(toldAbove(fields)).toEqual([mistake]);
  });

  test.each([
    'deadline: 1s',
    'deadline: 365d',
    'retention: 1m',
    'retention: 3650d',
    `on: { type: ${'x'.repeat(200)} }`,
    'on: { type: a.done }\nemits: { type: a.done.too }',
    'emits: { type: a, input: { id: a#/id, all: a#, mail: /email } }',
  ])('may say %j', (fields) => {
    expect(toldAbove(fields)).toEqual([]);
  });

  test('takes event types up to 200 characters', () => {
    expect(toldAbove(`on: { type: ${'x'.repeat(201)} }`)).toHaveLength(1);
  });

  test('keeps the name of its last step for itself, whether it emits or not', () => {
    expect(toldOf('emits: { function: x }')).toEqual([
      '5:3 reserved_name emits is the name of the event at the end: give this step another',
    ]);
    expect(toldOf('emitted: { function: x }')).toEqual([]);
  });
});

describe('a step', () => {
  test.each([
    ['a: {}', '5:3 bad_target "a" must have a function, a webhook or a wait'],
    [
      'a: { function: x, wait: { for: y }, retry: {} }',
      '5:3 bad_target "a" must have one target: function or wait',
    ],
    [
      'a: { function: x, webhook: Y, wait: { for: y } }',
      '5:3 bad_target "a" must have one target: function or webhook or wait',
    ],
    [
      'a: { wait: order.approved }',
      '5:14 invalid_value wait must be an object, such as { for: order.approved, timeout: 2d }',
    ],
    ['a: { wait: { timeout: 1h } }', '5:8 missing_field for is required'],
    [
      'a: { wait: { for: "" } }',
      '5:21 bad_event_type for must be 1 to 200 visible ASCII characters without a space, such as order.placed',
    ],
    ['a: { wait: { for: y, until: 1h } }', '5:24 unknown_field there is no field "until"'],
    [
      'a: { wait: { for: y, timeout: 2 } }',
      '5:33 bad_duration timeout must be a duration such as 10s',
    ],
    ['a: { wait: { for: y, timeout: 0s } }', '5:33 out_of_bounds timeout must be from 1ms to 365d'],
    [
      'a: { wait: { for: y, timeout: 25h } }',
      '5:33 beyond_deadline a wait of 25h is beyond the deadline of the run, 1d: shorten it or raise deadline',
    ],
    [
      'a: { wait: { for: y }, timeout: 1h }',
      '5:26 misplaced_field the timeout of a wait stands inside of it: wait: { for: order.approved, timeout: 2d }',
    ],
    [
      'a: { wait: { for: y }, retry: { attempts: 1 } }',
      '5:26 misplaced_field a step that waits calls nobody: it can have no retry',
    ],
    [
      'a: { wait: { for: y }, input: { a: /email } }',
      '5:26 misplaced_field a step that waits calls nobody: it can have no input',
    ],
    [
      'a: { wait: { for: y }, delay: 1m }',
      '5:26 misplaced_field a step that waits calls nobody: it can have no delay',
    ],
    [
      'a: { wait: { for: y }, rate: 1 }',
      '5:26 misplaced_field a step that waits calls nobody: it can have no rate',
    ],
    [
      'a: { wait: { for: y }, undo: { function: x } }',
      '5:26 misplaced_field a step that waits calls nobody: it can have no undo',
    ],
    ['a: { wait: { for: y }, secret: S }', '5:26 misplaced_field a secret belongs to a webhook'],
    ['a: { function: x, delay: 10 }', '5:28 bad_duration delay must be a duration such as 10s'],
    ['a: { function: x, delay: 366d }', '5:28 out_of_bounds delay must be from 1ms to 365d'],
    [
      'a: { function: x, delay: 2d }',
      '5:28 beyond_deadline a delay of 2d is beyond the deadline of the run, 1d: shorten it or raise deadline',
    ],
    ['a: { function: x, rate: 0 }', '5:27 invalid_value rate must be > 0'],
    ['a: { function: x, rate: 1001 }', '5:27 invalid_value rate must be <= 1000'],
    ['a: { function: x, rate: .inf }', '5:27 invalid_value rate must be number'],
    ['a: { function: x, retry: { jitter: 1.1 } }', '5:38 invalid_value jitter must be <= 1'],
    ['a: { function: x, retry: { jitter: -0.1 } }', '5:38 invalid_value jitter must be >= 0'],
    [
      'a: { function: x, retry: 3 }',
      '5:28 invalid_value retry must be an object, such as { attempts: 5 }',
    ],
  ])('says %j in vain', (step, mistake) => {
    expect(toldOf(step)).toEqual([mistake]);
  });

  test.each([
    'a: { wait: { for: y, timeout: 24h }, required: false, expose: [/by] }',
    'a: { function: x, rate: 0.1, delay: 1ms, retry: { jitter: 0 } }',
    'a: { function: x, rate: 1000, retry: { jitter: 1 } }',
  ])('may say %j', (step) => {
    expect(toldOf(step)).toEqual([]);
  });

  test('is measured by the deadline of its file, unless that is none', () => {
    const step = 'steps:\n  a: { function: x, delay: 2h }\n';
    expect(told(`deadline: 2h\n${step}`)).toEqual([]);
    expect(told(`deadline: 1h\n${step}`)).toEqual([
      '6:28 beyond_deadline a delay of 2h is beyond the deadline of the run, 1h: shorten it or raise deadline',
    ]);
    expect(told(`deadline: 500ms\n${step}`)).toEqual([
      '4:11 out_of_bounds deadline must be from 1s to 365d',
    ]);
    expect(told(`deadline: soon\n${step}`)).toEqual([
      '4:11 bad_duration deadline must be a duration such as 10s',
    ]);
  });

  test('agrees about the rate with those that call the same', () => {
    expect(
      toldOf(
        'a: { function: x, rate: 5 }',
        'b: { function: x }',
        'c: { function: y, rate: 4 }',
        'd: { function: x, rate: 4 }',
        'e: { webhook: A_URL, rate: 1 }',
        'f: { webhook: A_URL, secret: S, rate: 2 }',
        'g: { webhook: A_URL, rate: 1 }',
      ),
    ).toEqual([
      '8:27 rate_differs "a" calls "x" at a rate of 5: give "d" the same, or none',
      '10:41 rate_differs "e" calls "A_URL" at a rate of 1: give "f" the same, or none',
    ]);
  });
});

describe('undo', () => {
  const FUNCTIONS = { functions: ['create-user', 'delete-user'] };
  const undo = (text: string, options: Partial<LoadPipelineOptions> = {}) =>
    told(`steps:\n  a: { function: create-user, undo: ${text} }\n`, options);

  test.each([
    ['delete-user', '5:37 invalid_value undo must be an object, such as { function: delete-user }'],
    ['{}', '5:31 bad_target the undo of "a" must have a function or a webhook'],
    [
      '{ function: x, webhook: Y }',
      '5:31 bad_target the undo of "a" must have one target: function or webhook',
    ],
    [
      '{ webhook: url }',
      '5:48 bad_variable webhook must be the name of an environment variable, such as CRM_WEBHOOK_URL',
    ],
    ['{ function: x, secret: S }', '5:52 misplaced_field a secret belongs to a webhook'],
    ['{ function: x, after: [] }', '5:52 unknown_field there is no field "after"'],
    ['{ function: x, wait: { for: y } }', '5:52 unknown_field there is no field "wait"'],
    ['{ function: x, timeout: 0s }', '5:61 out_of_bounds timeout must be from 1ms to 10m'],
    [
      '{ function: x, retry: { backoff: 1m } }',
      '5:70 out_of_bounds maxBackoff (30s) must not be below backoff (1m)',
    ],
    [
      '{ function: x, input: { a: /nope } }',
      '5:64 unknown_input_field the input can have no field "nope"',
    ],
    ['{ function: x, input: { a: b#/id } }', '5:64 unknown_step there is no step "b"'],
    [
      '{ function: x, input: { __proto__: /email } }',
      '5:61 bad_name "__proto__" cannot be the name of a member',
    ],
    [
      '{ function: demo }',
      '5:49 calls_itself "demo" calls itself, for ever: call another function',
    ],
  ])('says %j in vain', (text, mistake) => {
    expect(undo(text)).toEqual([mistake]);
  });

  test('calls what is there', () => {
    expect(undo('{ function: delete-usr }', FUNCTIONS)).toEqual([
      '5:49 unknown_function there is no function "delete-usr"; did you mean delete-user?',
    ]);
    expect(undo('{ function: delete-user }', FUNCTIONS)).toEqual([]);
  });

  test('may read the answer of its own step, which that step cannot', () => {
    expect(undo('{ function: x, input: { id: a#/id } }')).toEqual([]);
    expect(toldOf('a: { function: x, input: { id: a#/id } }')).toEqual([
      '5:34 reference_not_before "a" reads its own answer, which its undo alone can',
    ]);
  });

  test('needs its webhook, unless its step is skipped for want of one', () => {
    const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const told = (step: string, environment: Record<string, string>) =>
      load(`steps:\n  a: { webhook: A_URL, undo: { webhook: B_URL }${step} }\n`, {
        environment,
      }).mistakes.map(({ line, column, code, severity }) => [line, column, code, severity]);
    expect(told('', { A_URL: 'http://a.test', WEBHOOK_SECRET: secret })).toEqual([
      [5, 41, 'webhook_not_configured', 'error'],
    ]);
    expect(told('', { A_URL: 'http://a.test', B_URL: 'b', WEBHOOK_SECRET: secret })).toEqual([
      [5, 41, 'bad_webhook_url', 'error'],
    ]);
    expect(
      told('', { A_URL: 'http://a.test', B_URL: 'http://b.test', WEBHOOK_SECRET: secret }),
    ).toEqual([]);
    expect(told(', required: false', {})).toEqual([[5, 17, 'webhook_not_configured', 'warning']]);
    expect(told(', required: false', { A_URL: 'http://a.test', WEBHOOK_SECRET: secret })).toEqual([
      [5, 41, 'webhook_not_configured', 'error'],
    ]);
  });
});

describe('what a step reads of an answer', () => {
  test('is that of a step before it, however far', () => {
    const steps = [
      'a: { function: x }',
      'b: { function: x, after: [a] }',
      'c: { function: x, after: [b], input: { id: a#/id, by: b#, mail: /email } }',
    ];
    expect(toldOf(...steps)).toEqual([]);
    expect(toldOf(...steps, 'd: { function: x, input: { id: a#/id } }')).toEqual([
      '8:34 reference_not_before "d" reads the answer of "a" and does not wait for it: add a to after of "d"',
    ]);
    expect(
      toldOf('a: { function: x, input: { id: b#/id } }', 'b: { function: x, after: [a] }'),
    ).toEqual([
      '5:34 reference_not_before "a" reads the answer of "b" and does not wait for it: add b to after of "a"',
    ]);
    expect(
      toldOf(
        'a: { function: x, undo: { function: y, input: { id: b#/id } } }',
        'b: { function: x }',
      ),
    ).toEqual([
      '5:55 reference_not_before the undo of "a" reads the answer of "b" and does not wait for it: add b to after of "a"',
    ]);
  });

  test('is that of a step that is there', () => {
    expect(
      toldOf(
        'create: { function: x }',
        'b: { function: x, after: [create], input: { id: craete#/id } }',
      ),
    ).toEqual(['6:51 unknown_step there is no step "craete"; did you mean create?']);
    expect(toldOf('a: { function: x, input: { "a/b": constructor#/id } }')).toEqual([
      '5:37 unknown_step there is no step "constructor"',
    ]);
  });

  test.each(['a#id', 'A#/id', '#/id', 'a#/~2', 'id'])('is written otherwise than %j', (text) => {
    const { mistakes } = load(`steps:\n  a: { function: x, input: { id: "${text}" } }\n`);
    expect(mistakes).toMatchObject([{ line: 5, column: 34, code: 'bad_pointer' }]);
  });

  test('is told of a cycle once, as a cycle', () => {
    expect(
      toldOf(
        'a: { function: x, after: [b], input: { id: b#/id } }',
        'b: { function: x, after: [a], input: { id: a#/id } }',
      ),
    ).toEqual(['5:29 cycle these steps wait for each other: a -> b -> a']);
  });

  describe('that may be missing is a warning', () => {
    const WARNING = 'warning reference_may_be_missing';

    test('where its when is not that of the reader', () => {
      const reader = (fields: string) =>
        toldOf(
          'a: { function: x, when: { pointer: /plan, equals: pro } }',
          `b: { function: x, after: [a], input: { id: a#/id }${fields} }`,
        );
      const warned = [
        `6:46 ${WARNING} "b" reads the answer of "a", which may be skipped by its when: without an answer the member is left out`,
      ];
      expect(reader('')).toEqual(warned);
      expect(reader(', when: /plan')).toEqual(warned);
      expect(reader(', when: { equals: free, pointer: /plan }')).toEqual(warned);
      expect(reader(', when: { equals: pro, pointer: /plan }')).toEqual([]);
      expect(reader(', required: false')).toEqual([]);
    });

    test('where the end reads from a step that is not required', () => {
      expect(
        told(
          'emits: { type: done, input: { id: a#/id } }\nsteps:\n  a: { function: x, required: false }\n',
        ),
      ).toEqual([
        `4:35 ${WARNING} the event at the end reads the answer of "a", which is not required: without an answer the member is left out`,
      ]);
    });

    test('and leaves the file usable', () => {
      const { pipeline } = load(
        'emits: { type: done, input: { id: a#/id } }\nsteps:\n  a: { function: x, when: /plan }\n',
      );
      expect(pipeline?.steps.map(({ name }) => name)).toEqual(['a', 'emits']);
    });
  });
});

describe('a condition', () => {
  const when = (text: string) => toldOf(`a: { function: x, when: ${text} }`);

  test.each([
    ['5', '5:27 invalid_value when must be a JSON Pointer, or { pointer: /plan, equals: pro }'],
    ['{ pointer: /plan }', '5:21 missing_field equals is required'],
    ['{ equals: pro }', '5:21 missing_field pointer is required'],
    [
      '{ pointer: plan, equals: a }',
      '5:38 bad_pointer a JSON Pointer begins with /, such as /phoneNumber',
    ],
    [
      '{ pointer: /plan, equal: a, equals: pro }',
      '5:45 unknown_field there is no field "equal"; did you mean equals?',
    ],
    [
      '{ pointer: /plan, equals: [pro] }',
      '5:53 invalid_value equals must be a text, a number, true, false or null',
    ],
    [
      '{ pointer: /plans, equals: pro }',
      '5:38 unknown_input_field the input can have no field "plans"; did you mean plan?',
    ],
    [
      '{ pointer: /plan, equals: gold }',
      '5:53 never_equal by the schema of the input /plan is one of "free", "pro", 7, null, never "gold": the step would never run',
    ],
    [
      '{ pointer: /kind, equals: Person }',
      '5:53 never_equal by the schema of the input /kind is "person", never "Person": the step would never run',
    ],
    [
      '{ pointer: /seats, equals: "5" }',
      '5:54 never_equal by the schema of the input /seats is integer, never "5": the step would never run',
    ],
    [
      '{ pointer: /seats, equals: 5.5 }',
      '5:54 never_equal by the schema of the input /seats is integer, never 5.5: the step would never run',
    ],
    [
      '{ pointer: /price, equals: true }',
      '5:54 never_equal by the schema of the input /price is number or null, never true: the step would never run',
    ],
    [
      '{ pointer: /gone, equals: a }',
      '5:53 never_equal by the schema of the input /gone is never there, never "a": the step would never run',
    ],
    [
      '{ pointer: /email, equals: null }',
      '5:54 never_equal by the schema of the input /email is string, never null: the step would never run',
    ],
    [
      '{ pointer: /items, equals: a }',
      '5:54 never_equal by the schema of the input /items is array, never "a": the step would never run',
    ],
    [
      '{ pointer: /some, equals: 1 }',
      '5:53 never_equal by the schema of the input /some is string, never 1: the step would never run',
    ],
    [
      '{ pointer: /deep/on, equals: "yes" }',
      '5:56 never_equal by the schema of the input /deep/on is boolean, never "yes": the step would never run',
    ],
    [
      '{ pointer: "", equals: a }',
      '5:50 never_equal by the schema of the input it is object, never "a": the step would never run',
    ],
  ])('says %j in vain', (text, mistake) => {
    expect(when(text)).toEqual([mistake]);
  });

  test.each([
    '/plan',
    '{ pointer: /plan, equals: pro }',
    '{ pointer: /plan, equals: 7 }',
    '{ pointer: /plan, equals: null }',
    '{ pointer: /kind, equals: person }',
    '{ pointer: /seats, equals: 5 }',
    '{ pointer: /price, equals: 5.5 }',
    '{ pointer: /price, equals: null }',
    '{ pointer: /deep/on, equals: false }',
    '{ pointer: /open, equals: a }',
    '{ pointer: /open/more, equals: a }',
    '{ pointer: /ref, equals: a }',
    '{ pointer: /items/0, equals: 5 }',
    '{ pointer: /loose/0, equals: a }',
  ])('may say %j', (text) => {
    expect(when(text)).toEqual([]);
  });

  test('shows a long value short', () => {
    const [message = ''] = when(`{ pointer: /seats, equals: "${'x'.repeat(5_000)}" }`);
    expect(message).toContain('never_equal');
    expect(message.length).toBeLessThan(250);
  });

  test('shows a few of many values', () => {
    const many = { enum: Array.from({ length: 1_000 }, (_, i) => `choice ${i}`) };
    const { mistakes } = load(
      'steps:\n  a: { function: x, when: { pointer: /many, equals: a } }\n',
      { resolve: () => JSON.stringify({ type: 'object', properties: { many } }) },
    );
    expect(mistakes).toMatchObject([{ code: 'never_equal' }]);
    expect(mistakes[0]?.message.length).toBeLessThan(500);
  });
});

test('mistakes of every kind come at once, in the order of the text', () => {
  const text = `on: { type: a b }
emits: { type: done, input: { by: nobody#/id } }
deadline: 1h
steps:
  a: { function: x, rate: 1, undo: {} }
  b: { wait: { for: y, timeout: 2h }, retry: {} }
  c: { function: x, rate: 2, input: { by: b#/by }, when: { pointer: /kind, equals: 1 } }
  emits: { function: x }
`;
  expect(told(text).map((mistake) => mistake.split(' ').slice(0, 2).join(' '))).toEqual([
    '4:13 bad_event_type',
    '5:35 unknown_step',
    '8:30 bad_target',
    '9:33 beyond_deadline',
    '9:39 misplaced_field',
    '10:27 rate_differs',
    '10:43 reference_not_before',
    '10:84 never_equal',
    '11:3 reserved_name',
  ]);
});
