/** What becomes of a key that a table does not place: in some modes the peer sends it anywhere, in all others it is nobody's. */
import type { Mode } from './topology';

/** Their peers take any member in turn: after nginx's 21 points that are all down, for an empty key in HAProxy. */
const LEFT_TO_CHANCE: ReadonlySet<Mode> = new Set<Mode>([
  'nginx-consistent',
  'nginx-hash',
  'haproxy-consistent',
]);

/** Whether any member may take a key that `ShardTable.place` gives no owner. Else nobody may: its owner is away, or none is named. */
export const isLeftToChance = (mode: Mode): boolean => LEFT_TO_CHANCE.has(mode);
