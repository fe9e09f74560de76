/** Lists of runs and of dead letters, page by page. */
import { describe, expect, test } from '@jest/globals';
import type { Run } from '../../shared/pipeline/run';
import type { World } from './engine-world';

export const listing = (world: () => World): void => {
  /** All pages of so many, and what is on each of them. */
  const pagesOf = async <T>(
    read: (after: string | undefined) => Promise<{ readonly page: readonly T[]; next?: string }>,
  ): Promise<readonly (readonly T[])[]> => {
    const pages: (readonly T[])[] = [];
    for (let after: string | undefined; ; ) {
      const { page, next } = await world().during(read(after));
      pages.push(page);
      if (next === undefined) return pages;
      after = next;
      if (pages.length > 100) throw new Error('this list has no end');
    }
  };

  describe('the list of runs', () => {
    test('has the newest first, page by page, each once, and only those of its pipeline', async () => {
      const { pipeline, start, ended, pass, lab, ticks } = world();
      const graph = pipeline({ a: {} });
      await ended(await start(pipeline({ a: {} })));
      const runs: Run[] = [];
      for (let index = 0; index < 7; index += 1) {
        runs.push(await ended(await start(graph)));
        await pass(ticks(1));
      }
      const pages = await pagesOf(async (after) => {
        const { runs: page, ...rest } = await lab.engine.list({
          pipeline: graph.name,
          limit: 3,
          after,
        });
        return { page, ...rest };
      });
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(
        runs.toReversed().map(({ steps: _, replays: __, cancelled: ___, ...summary }) => summary),
      );
    });

    test('is narrowed by state and by time', async () => {
      const { pipeline, start, script, ended, pass, lab, during, soon, ticks } = world();
      const graph = pipeline({ a: {} });
      const good = await ended(await start(graph));
      await pass(ticks(2));
      script(graph, 'a', {}, { status: 422 });
      const bad = await ended(await start(graph));
      await pass(ticks(2));
      script(graph, 'a', {}, {}, { takes: ticks(30) });
      const open = await start(graph);
      const ids = async (query: object): Promise<readonly string[]> => {
        const { runs } = await lab.engine.list({ pipeline: graph.name, ...query });
        return runs.map(({ id }) => id);
      };
      const all = await soon(
        () => ids({}),
        (list) => list.length === 3,
      );
      expect(all).toEqual([open.id, bad.id, good.id]);
      expect(await during(ids({ state: 'succeeded' }))).toEqual([good.id]);
      expect(await during(ids({ state: 'failed' }))).toEqual([bad.id]);
      expect(await during(ids({ state: 'running' }))).toEqual([open.id]);
      expect(await during(ids({ state: 'cancelled' }))).toEqual([]);
      const at = (run: Run) => Date.parse(run.createdAt);
      expect(await during(ids({ since: at(bad) }))).toEqual([open.id, bad.id]);
      expect(await during(ids({ until: at(bad) }))).toEqual([good.id]);
      expect(await during(ids({ since: at(bad), until: at(open) }))).toEqual([bad.id]);
      await ended(open);
    });
  });

  describe('the dead letters', () => {
    test('are what has failed for good, page by page, by step and by code; a replay takes them out', async () => {
      const { pipeline, start, script, ended, pass, lab, replay, ticks, during } = world();
      const graph = pipeline({
        a: {},
        b: { required: false },
        c: { required: false },
        fine: {},
      });
      script(graph, 'b', ...Array(3).fill({ status: 422 }));
      script(graph, 'c', ...Array(9).fill({ status: 'drop' }));
      const runs: Run[] = [];
      for (let index = 0; index < 3; index += 1) {
        runs.push(await ended(await start(graph)));
        await pass(ticks(1));
      }
      const letters = (query: object) =>
        pagesOf(async (after) => {
          const { deadLetters: page, ...rest } = await lab.engine.deadLetters({
            pipeline: graph.name,
            limit: 2,
            after,
            ...query,
          });
          return { page, ...rest };
        });
      const all = await letters({});
      expect(all.flat()).toHaveLength(6);
      expect(all.every((page) => page.length <= 2)).toBe(true);
      const about = (list: readonly { readonly run: string; readonly step: string }[]) =>
        list.map(({ run, step }) => `${runs.findIndex(({ id }) => id === run)} ${step}`).sort();
      expect(about(all.flat())).toEqual(['0 b', '0 c', '1 b', '1 c', '2 b', '2 c']);
      // Of the newest run first.
      expect(all.flat()[0]?.run).toBe(runs[2]?.id);
      const [one] = (await letters({ step: 'b' })).flat();
      expect(one).toEqual({
        run: runs[2]?.id,
        step: 'b',
        graph: graph.hash,
        attempts: 1,
        failedAt: runs[2]?.steps.b?.endedAt,
        error: { code: 'refused', status: 422 },
      });
      expect(about((await letters({ code: 'upstream_unreachable' })).flat())).toEqual([
        '0 c',
        '1 c',
        '2 c',
      ]);
      expect((await letters({ step: 'b', code: 'upstream_unreachable' })).flat()).toEqual([]);
      await replay(runs[0] as Run);
      const again = await ended(runs[0] as Run);
      expect(again.state).toBe('succeeded');
      expect(about((await letters({})).flat())).toEqual(['1 b', '1 c', '2 b', '2 c']);
      const other = pipeline({ a: {} });
      const none = await during(lab.engine.deadLetters({ pipeline: other.name }));
      expect(none.deadLetters).toEqual([]);
    });
  });
};
