import { describe, expect, test } from '@jest/globals';
import { createLedger } from '../../../functions/shard-router/ledger';
import type { Go } from './servers-harness';
import { shardOf } from './servers-harness';

const A = shardOf('a');
const B = shardOf('b');
const go: Go = { kind: 'go', shard: A, url: 'http://a-1', role: 'owner', probe: false };

describe('of one that has left', () => {
  /** What is kept of it, or what would be made anew. */
  const keptOf = (ledger: ReturnType<typeof createLedger>) => {
    const { load, servers } = ledger.facts.placeOf(A);
    return [load, servers[0]] as const;
  };

  test('nothing is kept', () => {
    const ledger = createLedger();
    ledger.update([A, B]);
    const before = keptOf(ledger);
    expect(keptOf(ledger)[0]).toBe(before[0]);
    expect(keptOf(ledger)[1]).toBe(before[1]);
    ledger.update([B]);
    expect(keptOf(ledger)[0]).not.toBe(before[0]);
    expect(keptOf(ledger)[1]).not.toBe(before[1]);
  });

  test('all is kept while something is on its way to it, and nothing after that', () => {
    const ledger = createLedger();
    ledger.update([A, B]);
    const before = keptOf(ledger);
    const { remove } = ledger.add(go);
    ledger.update([B]);
    expect(keptOf(ledger)[0]).toBe(before[0]);
    expect(keptOf(ledger)[1]).toBe(before[1]);
    remove();
    expect(keptOf(ledger)[0]).not.toBe(before[0]);
    expect(keptOf(ledger)[1]).not.toBe(before[1]);
  });
});

test('what is sent to one that has left is known when it is back', () => {
  const ledger = createLedger();
  ledger.update([B]);
  const { remove } = ledger.add(go);
  const { remove: removeOther } = ledger.add(go);
  ledger.update([A, B]);
  const { load, servers } = ledger.facts.placeOf(A);
  expect([load.inFlight, servers[0]?.inFlight, ledger.facts.total.inFlight]).toEqual([2, 2, 2]);
  remove();
  removeOther();
  expect([load.inFlight, servers[0]?.inFlight, ledger.facts.total.inFlight]).toEqual([0, 0, 0]);
});
