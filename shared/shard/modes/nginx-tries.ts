/** What both of nginx's ways have in common: they try 21 times, then take whose turn it is. */
import type { Warning } from '../placer';
import type { Shard } from '../topology';
import { type Members, namesOf } from './members';

export const TRIES = 21;

/** Who is found without a key. */
export const onlyOf = ({ only }: Members): number[] => (only === undefined ? [] : [only]);

/** Runs of points of those that are down grow longer than the tries. */
export const downSpills = (shards: readonly Shard[], { listed, usable }: Members): Warning[] => {
  const down = [...listed].filter((index) => usable[index] === 0);
  const weigh = (indexes: readonly number[]) =>
    indexes.reduce((sum, index) => sum + (shards[index] as Shard).weight, 0);
  const part = weigh(down) / weigh([...listed]);
  if (down.length === 0 || part ** TRIES < 1e-4) return [];
  return [
    {
      code: 'down_spills',
      message: `${namesOf(shards, down)} keep so many points while they are down that nginx gives up after ${TRIES} of them: for some keys it then takes whose turn it is.`,
    },
  ];
};
