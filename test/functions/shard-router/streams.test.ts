import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Placement } from '../../../functions/shard-router/missing';
import { createStreams, type StreamsOptions } from '../../../functions/shard-router/streams';
import { Moments, type Timed } from '../../../functions/shard-router/streams-moments';
import { hasMoved, whoMoves } from '../../../functions/shard-router/streams-moved';
import { systemClock } from '../../../shared/clock';
import type { LiveStream } from '../../../shared/handler';
import { systemRandom } from '../../../shared/random';
import { type ShardTable, shardTable } from '../../../shared/shard/table';
import type { TopologyInput } from '../../../shared/shard/topology';
import { manualClock } from '../../support/manual-clock';
import { timersSetDuring } from '../../support/timers';

const topology = (count: number): TopologyInput => ({
  mode: 'native',
  shards: Array.from({ length: count }, (_, i) => ({ address: `10.0.0.${i}:80`, name: `s${i}` })),
});
const ten = shardTable(topology(10));
const eleven = ten.change(topology(11), { epoch: 1 });

interface Heard extends LiveStream {
  readonly key: string;
  /** When it was told to end, and how. */
  readonly told: { readonly at: number; readonly retry: number | undefined }[];
  over(): void;
}

const start = Date.UTC(2026, 0, 1);

const lab = (options: Partial<StreamsOptions> = {}) => {
  const clock = manualClock(start);
  const streams = createStreams({
    window: 5_000,
    grace: 30_000,
    retry: 1_000,
    clock,
    random: systemRandom,
    ...options,
  });
  const open = (key: string, protocol: LiveStream['protocol'] = 'sse'): Heard => {
    let over = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    const told: { at: number; retry: number | undefined }[] = [];
    const end = ({ retry }: { retry?: number | undefined } = {}) =>
      void told.push({ at: clock.now() - start, retry });
    return { protocol, ended, key, told, over, end };
  };
  const watch = (stream: Heard, table: ShardTable = ten): Heard => {
    streams.watch(stream, placed(stream.key, table), table);
    return stream;
  };
  return { clock, streams, open, watch };
};

const placed = (key: string, table: ShardTable): Placement => ({
  owner: table.place(key),
  key: { value: key, source: 'a test' },
});

const keys = (count: number) => Array.from({ length: count }, (_, i) => `user:${i}`);
const moved = (key: string) => ten.place(key)?.name !== eleven.place(key)?.name;
const mover = keys(100).find(moved) as string;
const stayer = keys(100).find((key) => !moved(key)) as string;

describe('the rule', () => {
  test('a key has moved when its owner has another name, and not when the owner has another address', () => {
    expect(hasMoved({ key: mover, owner: ten.place(mover)?.name as string }, eleven)).toBe(true);
    expect(hasMoved({ key: stayer, owner: ten.place(stayer)?.name as string }, eleven)).toBe(false);
    const elsewhere = ten.change({
      mode: 'native',
      shards: ten.shards.map(({ name }) => ({ name, address: `${name}.example:81` })),
    });
    const all = keys(500).map((key) => ({ key, owner: ten.place(key)?.name as string }));
    expect(whoMoves(all, elsewhere)).toEqual([]);
    expect(whoMoves(all, eleven).map(({ key }) => key)).toEqual(keys(500).filter(moved));
  });

  test('bytes are a key as texts are', () => {
    const key = new TextEncoder().encode(mover);
    expect(hasMoved({ key, owner: ten.place(mover)?.name as string }, eleven)).toBe(true);
  });

  test('where the table leaves it open, a stream stays as long as its shard is there', () => {
    const lookup = (...names: string[]) =>
      shardTable({ mode: 'lookup', table: {}, shards: names.map((name) => ({ address: name })) });
    expect(hasMoved({ key: 'a', owner: 'one' }, lookup('one', 'two'))).toBe(false);
    expect(hasMoved({ key: 'a', owner: 'three' }, lookup('one', 'two'))).toBe(true);
    expect(hasMoved({ key: undefined, owner: 'one' }, lookup('one', 'two'))).toBe(false);
    expect(hasMoved({ key: undefined, owner: 'three' }, lookup('one', 'two'))).toBe(true);
  });
});

describe('on a change', () => {
  test('exactly those whose key moves are ended, once each, spread over the window', async () => {
    const { clock, streams, open, watch } = lab();
    const all = keys(1_000).map((key, i) => watch(open(key, i % 2 ? 'sse' : 'websocket')));
    streams.change(eleven);
    const expected = keys(1_000).filter(moved);
    expect(expected.length).toBeGreaterThan(60);
    expect(expected.length).toBeLessThan(125);
    expect(streams.counts()).toEqual({ open: 1_000, moving: expected.length });
    await clock.advance(6_000);
    await clock.advance(3_600_000);
    expect(all.filter(({ told }) => told.length > 0).map(({ key }) => key)).toEqual(expected);
    const told = all.flatMap((one) => one.told);
    expect(told).toHaveLength(expected.length);
    expect(new Set(told.map(({ retry }) => retry))).toEqual(new Set([1_000]));
    // Each fifth of the window has its part of them.
    const fifths = [0, 1, 2, 3, 4].map(
      (n) => told.filter(({ at }) => at >= n * 1_000 && at <= (n + 1) * 1_000).length,
    );
    for (const count of fifths) expect(count).toBeGreaterThan(3);
    expect(Math.max(...told.map(({ at }) => at))).toBeLessThanOrEqual(5_000);
  });

  test('one that has no goodbye may end by itself first', async () => {
    const { clock, streams, open, watch } = lab();
    const patient = watch(open(mover, 'http'));
    const quick = watch(open(mover, 'http'));
    streams.change(eleven);
    await clock.advance(20_000);
    quick.over();
    await clock.advance(9_999);
    expect(patient.told).toEqual([]);
    await clock.advance(5_001);
    expect(patient.told).toHaveLength(1);
    expect(quick.told).toEqual([]);
  });

  test('one that moves back before its moment is left alone', async () => {
    const { clock, streams, open, watch } = lab({ window: 5_000, grace: 5_000 });
    const one = watch(open(mover, 'http'));
    streams.change(eleven);
    await clock.advance(4_000);
    expect(streams.counts().moving).toBe(1);
    streams.change(ten.change(topology(10), { epoch: 2 }));
    expect(streams.counts().moving).toBe(0);
    await clock.advance(60_000);
    expect(one.told).toEqual([]);
    streams.change(eleven);
    await clock.advance(10_001);
    expect(one.told).toHaveLength(1);
  });

  test('a second change does not put off the end', async () => {
    const { clock, streams, open, watch } = lab({ grace: 3_000, window: 1_000 });
    const one = watch(open(mover, 'http'));
    streams.change(eleven);
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(1_000);
      streams.change(eleven.change(topology(11), { epoch: i + 2 }));
    }
    expect(one.told).toHaveLength(1);
  });

  test('a stream whose shard took its time to answer is judged by the table of now', async () => {
    const { clock, streams, open, watch } = lab();
    streams.change(eleven);
    const late = watch(open(mover), ten);
    const home = watch(open(stayer), ten);
    const fresh = watch(open(mover), eleven);
    await clock.advance(5_001);
    expect([late, home, fresh].map(({ told }) => told.length)).toEqual([1, 0, 0]);
  });

  test('what any shard may serve has nowhere to move', async () => {
    const { clock, streams, open } = lab({ maxAge: 60_000 });
    const spread = open('none');
    streams.watch(spread, { owner: undefined, key: undefined }, ten);
    streams.change(eleven);
    expect(streams.counts()).toEqual({ open: 1, moving: 0 });
    await clock.advance(50_000);
    expect(spread.told).toEqual([]);
    await clock.advance(10_000);
    expect(spread.told).toHaveLength(1);
  });

  test('a window of nothing is at once', async () => {
    const { clock, streams, open, watch } = lab({ window: 0 });
    const one = watch(open(mover));
    streams.change(eleven);
    await clock.advance(1);
    expect(one.told).toHaveLength(1);
  });
});

test('no stream becomes older than it may, and those of one age do not end at once', async () => {
  const { clock, open, watch } = lab({ maxAge: 100_000 });
  const all = keys(200).map((key) => watch(open(key, 'http')));
  await clock.advance(89_999);
  expect(all.flatMap(({ told }) => told)).toEqual([]);
  await clock.advance(10_001);
  const moments = all.flatMap(({ told }) => told.map(({ at }) => at));
  expect(moments).toHaveLength(200);
  expect(new Set(moments).size).toBeGreaterThan(150);
  expect(Math.max(...moments)).toBeLessThanOrEqual(100_000);
});

test('one that was told to go for its age is not told again when its key moves', async () => {
  const { clock, streams, open, watch } = lab({ maxAge: 10_000 });
  const one = watch(open(mover));
  await clock.advance(10_000);
  expect(one.told).toHaveLength(1);
  expect(streams.counts().open).toBe(0);
  streams.change(eleven);
  await clock.advance(60_000);
  expect(one.told).toHaveLength(1);
});

test('one that is over is forgotten, and nothing ends it', async () => {
  const { clock, streams, open, watch } = lab({ maxAge: 10_000 });
  const one = watch(open(mover));
  streams.change(eleven);
  one.over();
  await turn();
  expect(streams.counts()).toEqual({ open: 0, moving: 0 });
  await clock.advance(60_000);
  expect(one.told).toEqual([]);
});

test('after the stop none is ended', async () => {
  const { clock, streams, open, watch } = lab();
  const one = watch(open(mover));
  streams.change(eleven);
  streams.stop();
  watch(open(mover), ten);
  await clock.advance(60_000);
  expect(one.told).toEqual([]);
  expect(streams.counts().open).toBe(0);
});

test('ten thousand streams have one timer, and all that move are ended in turns', async () => {
  const { open, watch, streams } = lab({ clock: systemClock, window: 100, maxAge: 3_600_000 });
  let all: Heard[] = [];
  const timers = await timersSetDuring(async () => {
    all = keys(10_000).map((key) => watch(open(key)));
    streams.change(eleven);
  });
  // Earlier ones come while they are added: the age of each is jittered.
  expect(timers).toBeLessThan(100);
  const expected = keys(10_000).filter(moved).length;
  const count = () => all.filter(({ told }) => told.length === 1).length;
  while (count() < expected) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(count()).toBe(expected);
  streams.stop();
});

test('moments come in their order, whatever was changed or taken away', () => {
  const at = fc.oneof(
    { weight: 3, arbitrary: fc.nat(1_000) },
    { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
  );
  const change = fc.tuple(fc.nat(99), at);
  fc.assert(
    fc.property(fc.array(change, { minLength: 300, maxLength: 500 }), (changes) => {
      const moments = new Moments<Timed>();
      const all = Array.from({ length: 100 }, (): Timed => ({ at: Infinity, place: -1 }));
      for (const [i, at] of changes) moments.set(all[i] as Timed, at);
      const expected = all.map(({ at }) => at).filter(Number.isFinite);
      const came: number[] = [];
      for (let one = moments.first; one; one = moments.first) {
        came.push(one.at);
        moments.remove(one);
        expect(one.place).toBe(-1);
      }
      expect(came).toEqual(expected.sort((a, b) => a - b));
    }),
  );
});
