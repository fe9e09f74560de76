import { describe, expect, test } from '@jest/globals';
import { runId } from '../../../../shared/pipeline/engines/run-id';
import { systemRandom } from '../../../../shared/random';

const NOW = Date.UTC(2026, 0, 1);
const clockOf = (id: string): number => Number.parseInt(id.slice(0, 8), 16);

describe('the id of a run', () => {
  test('is 30 URL-safe characters, and another one for each run of the same instant', () => {
    const ids = Array.from({ length: 5_000 }, () => runId(NOW, systemRandom));
    expect(ids.filter((id) => !/^[0-9a-f]{8}[\w-]{22}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('holds 128 random bits: each is 1 in about half of the ids', () => {
    const ids = Array.from({ length: 2_000 }, () =>
      Buffer.from(runId(NOW, systemRandom).slice(8), 'base64url'),
    );
    const ones = Array.from(
      { length: 128 },
      (_, bit) => ids.filter((id) => ((id[bit >> 3] ?? 0) >> (bit & 7)) & 1).length,
    );
    expect(ones.filter((count) => count < 800 || count > 1_200)).toEqual([]);
  });

  test('begins alike for all that begin together, in the order of time, and never with a hyphen', () => {
    for (let now = NOW; now < NOW + 2 ** 33; now += 2 ** 26 + 1) {
      const id = runId(now, systemRandom);
      expect(id).toMatch(/^[0-9a-f]{8}/);
      expect(clockOf(runId(now + 1, systemRandom))).toBe((clockOf(id) + 1) % 2 ** 32);
    }
  });

  test('begins again at 0 when 32 bits of its clock are used up', () => {
    const end = Math.ceil(NOW / 2 ** 32) * 2 ** 32;
    expect(clockOf(runId(end - 1, systemRandom))).toBe(2 ** 32 - 1);
    expect(clockOf(runId(end, systemRandom))).toBe(0);
  });
});
