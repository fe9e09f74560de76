/** Several routers, one of them behind, while the members change under load: nobody executes what he does not own. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ShardTable } from '../../../shared/shard/table';
import { sleep, until } from '../../support/redis-lab';
import { type Fleet, startFleet } from '../../support/shard-fleet';
import { CLEAN, type Execution, judge } from '../../support/shard-judge';

/** ms */
const LAG = 5_000;
/** Of requests in a second, by all clients together; a machine that is busy makes fewer. */
const LOAD = { rate: 2_000, keys: 2_000 };
/** Which of the three is behind. */
const LATE = 2;

const MEMBERS = { s1: 1, s2: 1, s3: 1, s4: 1 };
/** One shard more, one less, another more, one with three times the keys, one for another. */
const CHANGES: readonly Readonly<Record<string, number>>[] = [
  { s1: 1, s2: 1, s3: 1, s4: 1, s5: 1 },
  { s1: 1, s3: 1, s4: 1, s5: 1 },
  { s1: 1, s3: 1, s4: 1, s5: 1, s6: 1 },
  { s1: 3, s3: 1, s4: 1, s5: 1, s6: 1 },
  { s1: 3, s2: 1, s3: 1, s5: 1, s6: 1 },
];

let fleet: Fleet | undefined;

afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
});

const movedKeys = (executions: readonly Execution[]): number => {
  const shards = new Map<string, Set<string>>();
  for (const { key, shard } of executions)
    shards.set(key, (shards.get(key) ?? new Set()).add(shard));
  return [...shards.values()].filter(({ size }) => size > 1).length;
};

describe('three routers, one 5 s behind', () => {
  test('while shards come, go and change their weight, no request is executed by a shard that does not own its key', async () => {
    fleet = await startFleet({
      shards: ['s1', 's2', 's3', 's4', 's5', 's6'],
      members: MEMBERS,
      routers: 2,
      lag: LAG,
      config: { mode: 'native', key: { header: 'x-key' } },
    });
    const endOfChanges = await fleet.load(LOAD);
    let last: ShardTable | undefined;
    for (const members of CHANGES) {
      await sleep(1_200);
      last = await fleet.publish(members);
    }
    const all = [last?.digest, last?.digest, last?.digest];
    const agreed = await until(fleet.digests, (digests) => `${digests}` === `${all}`);
    const during = await endOfChanges();
    const endOfRest = await fleet.load(LOAD);
    await sleep(1_000);
    const afterwards = await endOfRest();
    const evidence = await fleet.evidence();

    expect(judge(evidence)).toEqual(CLEAN);
    expect(agreed).toEqual(all);
    expect(afterwards.filter(({ status }) => status !== 200)).toEqual([]);

    // It was as hard as it should be: the late one was wrong, shards did refuse, and keys did move under each table.
    const { executions, arrivals, history } = evidence;
    expect(during.length).toBeGreaterThan(2_000);
    expect(during.filter(({ router, status }) => router === LATE && status === 503)).not.toEqual(
      [],
    );
    expect(arrivals.length).toBeGreaterThan(executions.length);
    expect(new Set(executions.map(({ epoch }) => epoch))).toEqual(new Set(history.keys()));
    expect(movedKeys(executions)).toBeGreaterThan(LOAD.keys / 10);
  }, 60_000);
});
