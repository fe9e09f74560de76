/** The small parts of the commands: flags, order, events of a stream, text for a terminal, and the help. */
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../functions';
import { readEvents } from '../../../shared/cli/event-stream';
import { parseFlags, UsageError } from '../../../shared/cli/flags';
import { inOrder } from '../../../shared/cli/in-order';
import { errorMeaning } from '../../../shared/cli/step-text';
import { oneLine, showJson, table } from '../../../shared/cli/text';
import { DELIVERY_FAILURE } from '../../../shared/webhook/deliver';
import { piped, run } from './lab';

const FLAGS = { json: 'switch', data: 'text', wait: 'optional', help: 'switch' } as const;

describe('flags', () => {
  test.each([
    [['a', '--json', 'b'], { json: true }, ['a', 'b']],
    [['--data', '-5'], { data: '-5' }, []],
    [['--data', '-'], { data: '-' }, []],
    [['--data=--json'], { data: '--json' }, []],
    [['--data=a=b'], { data: 'a=b' }, []],
    [['--data='], { data: '' }, []],
    [['--wait', 'x'], { wait: '' }, ['x']],
    [['--wait=60s'], { wait: '60s' }, []],
    [['-h'], { help: true }, []],
    [['-', '--', '--json', '-x'], {}, ['-', '--json', '-x']],
    [['-jsonABCDEFGHIJKLMNOPQ'], {}, ['-jsonABCDEFGHIJKLMNOPQ']],
    [['--data', '--ABCDEFGHIJKLMNOPQRST'], { data: '--ABCDEFGHIJKLMNOPQRST' }, []],
  ])('%j', (args, values, positionals) => {
    expect(parseFlags(args, FLAGS)).toEqual({ values, positionals });
  });

  test.each([
    [['--jsn'], 'there is no option --jsn; did you mean --json?'],
    [['-j'], 'there is no option -j'],
    [['--no-json'], 'there is no option --no-json; did you mean --json?'],
    [['--toString'], 'there is no option --toString'],
    [['--json=yes'], '--json takes no value'],
    [['--json', '--json'], '--json is given twice'],
    [['--data'], '--data needs a value'],
    [
      ['--data', '--json'],
      '--data needs a value; one that begins with a dash is written --data=--json',
    ],
    [['--\u001b[2J'], 'there is no option -- [2J'],
  ])('%j is refused', (args, message) => {
    expect(() => parseFlags(args, FLAGS)).toThrow(new UsageError(message));
  });
});

describe('work in order', () => {
  const collect = async <T>(results: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const result of results) found.push(result);
    return found;
  };
  const numbers = async function* (count: number) {
    for (let i = 0; i < count; i += 1) yield i;
  };
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test('gives results as they came in, however long each takes, and no more at once than the limit', async () => {
    let [inside, most] = [0, 0];
    const work = async (i: number) => {
      most = Math.max(most, ++inside);
      await wait(i % 3 === 0 ? 30 : 1);
      inside -= 1;
      return i;
    };
    expect(await collect(inOrder(numbers(20), 4, work))).toEqual([...Array(20).keys()]);
    expect(most).toBe(4);
    expect(await collect(inOrder(numbers(0), 4, work))).toEqual([]);
  });

  test('when the source breaks, what is at work ends first', async () => {
    const source = (async function* () {
      yield 1;
      throw new Error('broken');
    })();
    const slowly = (i: number) => wait(20).then(() => i);
    const found: number[] = [];
    const reading = (async () => {
      for await (const i of inOrder(source, 4, slowly)) found.push(i);
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(found).toEqual([1]);
  });
});

describe('events of a stream', () => {
  const read = async (...chunks: string[]) => {
    const events: unknown[] = [];
    const bytes = piped(...chunks.map((chunk) => Buffer.from(chunk, 'latin1')));
    for await (const event of readEvents(bytes as AsyncIterable<Uint8Array>, () => undefined))
      events.push(event);
    return events;
  };

  test('come in whatever pieces, with whatever line ends', async () => {
    const text =
      ': beat\r\nevent: run\r\nid: 1\r\ndata: {"a":\r\ndata:1}\r\n\r\nretry: 5\n\ndata: x\n\n';
    const expected = [
      { event: 'run', data: '{"a":\n1}' },
      { event: 'message', data: 'x' },
    ];
    expect(await read(text)).toEqual(expected);
    expect(await read(...text)).toEqual(expected);
  });

  test('hold UTF-8 that was cut', async () => {
    const bytes = Buffer.from('data: ä\n\n').toString('latin1');
    expect(await read(...bytes)).toEqual([{ event: 'message', data: 'ä' }]);
  });

  test('without an end are none', async () => {
    expect(await read('data: x\n')).toEqual([]);
    await expect(read('data: '.padEnd(16_777_300, 'x'))).rejects.toThrow('has no end');
  });
});

describe('text', () => {
  test('lets nothing get hold of a terminal', () => {
    expect(oneLine('a\u001b[2J\nb\u009b\u2028c')).toBe('a [2J b c');
    expect(showJson('\u001b\u009b\u2028')).toBe('"\\u001b\\u009b\\u2028"');
    expect(
      table([
        ['a', 'b'],
        ['ccc\n', ''],
      ]),
    ).toBe('a     b\nccc\n');
  });

  test('knows a meaning for each code that a delivery can fail with', () => {
    const codes = [...Object.values(DELIVERY_FAILURE), 'refused', 'target_gone', 'target_disabled'];
    for (const code of [
      ...codes,
      'not_configured',
      'deadline_exceeded',
      'wait_timeout',
      'internal',
    ])
      expect([code, errorMeaning({ code })]).toEqual([code, expect.any(String)]);
    expect(errorMeaning({ code: 'toString' })).toBeUndefined();
  });
});

describe('help', () => {
  const COMMANDS = [
    'check',
    'graph',
    'export',
    'run',
    'runs',
    'show',
    'cancel',
    'signal',
    'replay',
    'dead-letters',
    'targets',
  ];

  test('lists every command', async () => {
    const { code, out } = await run(['help']);
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(out).toContain(`\n  pipeline ${name} `);
    expect(out).toContain('\n  functions ');
    for (const args of [['--help'], ['-h'], ['pipeline', '--help']])
      expect((await run(args)).out).toBe(out);
  });

  test.each(COMMANDS)('pipeline %s has one of its own', async (name) => {
    const { code, out, err } = await run(['pipeline', name, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: faas-patterns pipeline ${name} `));
    expect(out).toMatch(/\nExit: 0 /);
    expect(out).toContain('--json');
  });

  test.each([
    [[], /^faas-patterns: a command is missing: functions, pipeline, shard, help\n\nUsage/],
    [['pipelin'], /^faas-patterns: there is no command pipelin; did you mean pipeline\?\n/],
    [['pipeline'], /^faas-patterns: a command pipeline is missing: check, /],
    [
      ['pipeline', 'repaly'],
      /^faas-patterns: there is no command pipeline repaly; did you mean replay\?/,
    ],
    [['pipeline', 'constructor'], /^faas-patterns: there is no command pipeline constructor\n/],
    [['functions', '--jsn'], /^faas-patterns: there is no option --jsn; did you mean --json\?/],
  ])('%j is refused with the usage and 2', async (args, message) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
    expect(err).toContain('Usage: faas-patterns');
  });

  test('functions still lists what there is', async () => {
    const { out } = await run(['functions', '--json'], {
      folder: path.resolve(__dirname, '../../..'),
    });
    const { functions } = JSON.parse(out) as { functions: { name: string }[] };
    expect(functions.map(({ name }) => name)).toEqual(
      expect.arrayContaining(Object.keys(catalogue)),
    );
  });
});
