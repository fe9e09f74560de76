import { describe, expect, test } from '@jest/globals';
import { runId } from '../../../../shared/pipeline/engines/run-id';
import { systemRandom } from '../../../../shared/random';

const NOW = Date.UTC(2026, 0, 1);
const bytesOf = (id: string): Buffer => Buffer.from(id, 'base64url');

describe('the id of a run', () => {
  test('is 27 URL-safe characters, and another one for each run of the same instant', () => {
    const ids = Array.from({ length: 5_000 }, () => runId(NOW, systemRandom));
    expect(ids.filter((id) => !/^[\w-]{27}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('holds 128 random bits: each is 1 in about half of the ids', () => {
    const ids = Array.from({ length: 2_000 }, () => bytesOf(runId(NOW, systemRandom)));
    const ones = Array.from(
      { length: 128 },
      (_, bit) => ids.filter((id) => ((id[4 + (bit >> 3)] ?? 0) >> (bit & 7)) & 1).length,
    );
    expect(ones.filter((count) => count < 800 || count > 1_200)).toEqual([]);
  });

  test('begins alike for all that begin together, and in the order of time', () => {
    const clock = (now: number) => bytesOf(runId(now, systemRandom)).readUInt32BE();
    expect(clock(NOW)).toBe(clock(NOW));
    expect(clock(NOW + 1)).toBe(clock(NOW) + 1);
  });

  test('begins again at 0 when 32 bits of its clock are used up', () => {
    const end = Math.ceil(NOW / 2 ** 32) * 2 ** 32;
    expect(bytesOf(runId(end - 1, systemRandom)).readUInt32BE()).toBe(2 ** 32 - 1);
    expect(bytesOf(runId(end, systemRandom)).readUInt32BE()).toBe(0);
  });
});
