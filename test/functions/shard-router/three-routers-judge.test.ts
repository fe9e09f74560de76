import { describe, expect, test } from '@jest/globals';
import { shardTable } from '../../../shared/shard/table';
import {
  CLEAN,
  type Evidence,
  judge,
  readAnswers,
  readExecutions,
  type Verdict,
} from '../../support/shard-judge';

const table = (epoch: number, owner: string) =>
  shardTable(
    {
      mode: 'lookup',
      table: { k: owner },
      shards: [{ address: 'a' }, { address: 'b' }],
    },
    { epoch },
  );
const [ONE, TWO] = [table(1, 'a'), table(2, 'b')];
const execution = (shard: string, call: string, by = ONE) => ({
  shard,
  call,
  key: 'k',
  epoch: `${by.epoch}`,
  digest: by.digest,
});
const answer = (call: string, status: number, retryAfter = '') => ({
  call,
  key: 'k',
  router: 0,
  status,
  retryAfter,
});

const WELL: Evidence = {
  history: new Map([
    ['1', ONE],
    ['2', TWO],
  ]),
  executions: [execution('a', '1'), execution('b', '2', TWO)],
  arrivals: ['1', '2', '2', '3', '3'],
  answers: [answer('1', 200), answer('2', 200), answer('3', 503, '1')],
};

describe('who looks for requests that the wrong shard has executed', () => {
  test('finds nothing where the owner has changed between two epochs', () => {
    expect(judge(WELL)).toEqual(CLEAN);
  });

  test.each<[keyof Verdict, Partial<Evidence>]>([
    ['byNonOwner', { executions: [...WELL.executions, execution('a', '3', TWO)] }],
    ['byTwo', { executions: [...WELL.executions, execution('b', '3')] }],
    [
      'byNoTable',
      { executions: [...WELL.executions, { ...execution('a', '3'), digest: TWO.digest }] },
    ],
    ['twice', { executions: [...WELL.executions, execution('a', '1')] }],
    ['notExecuted', { answers: [answer('7', 200)] }],
    ['errors', { answers: [answer('1', 502)] }],
    ['errors', { answers: [answer('1', 503)] }],
    ['errors', { answers: [answer('1', 421, '1')] }],
    ['errors', { answers: [answer('1', 0, 'reset')] }],
    ['detours', { arrivals: ['1', '1', '1'] }],
  ])('finds %s', (what, wrong) => {
    expect(judge({ ...WELL, ...wrong })[what]).toHaveLength(1);
  });

  test('reads what the processes have written', () => {
    expect(readExecutions('a\t1\tk\t2\tdd\towner\nb\t2\tl\t3\tee\tnext')).toEqual([
      { shard: 'a', call: '1', key: 'k', epoch: '2', digest: 'dd' },
      { shard: 'b', call: '2', key: 'l', epoch: '3', digest: 'ee' },
    ]);
    expect(readAnswers('1\tk\t2\t503\t1\n2\tl\t0\t200\t')).toEqual([
      { ...answer('1', 503, '1'), router: 2 },
      { ...answer('2', 200), key: 'l' },
    ]);
  });
});
