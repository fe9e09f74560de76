/** What is odd about a topology in whatever mode. */
import type { Warning } from './placer';
import type { Topology } from './topology';
import { unusedOptions } from './use';

export const generalWarnings = (topology: Topology): readonly Warning[] => [
  ...nobody(topology),
  ...idlePins(topology),
  ...unusedOptions(topology).map((name) => ({
    code: 'option_unused',
    message: `Mode ${topology.mode} takes no ${name}.`,
  })),
];

function* nobody({ shards }: Topology): Generator<Warning> {
  if (shards.every(({ down, ejected }) => down || ejected))
    yield { code: 'no_shard', message: 'Every shard is down or ejected: no key has an owner.' };
}

function* idlePins({ shards, pins = {} }: Topology): Generator<Warning> {
  const away = new Set(shards.filter((one) => one.down || one.ejected).map(({ name }) => name));
  const idle = [...new Set(Object.values(pins).filter((name) => away.has(name)))];
  if (idle.length > 0)
    yield {
      code: 'pin_down',
      message: `Keys pinned to ${idle.join(', ')} go where others would: what they are pinned to is down or ejected.`,
    };
}
