/** One way to ask for the members, whatever they come from. */
import type { Files, Names } from '../../platform';
import type { Store } from '../../store/store';
import type { TopologyInput } from '../topology';
import { dnsReader } from './dns';
import type { ReadMembers } from './document';
import { fileReader } from './file';
import type { MembersSource } from './source';
import { type Pause, storeReader } from './stored';

/** What the source has said. */
export interface Found {
  /** The same again as long as it says the same. */
  readonly mark: string | number;
  /** The topology that it makes; not asked for while the mark is that of the table. */
  read(topology: TopologyInput): ReadMembers;
}

export interface Reader {
  /** For people: `file members.json`. */
  readonly name: string;
  /** After so long somebody should look again, ms. */
  readonly every: number;
  /** Whether a lower epoch than before is a surprise, to be looked at twice. */
  readonly onlyNewer: boolean;
  /** Rejects when there is no answer. Nobody waits for it any more once the signal has aborted. */
  look(signal: AbortSignal): Promise<Found>;
  /** Tells of changes until the signal aborts. @default nobody does: look now and then */
  listen?(signal: AbortSignal, changed: () => void): Promise<void>;
}

/** What a host may have, and a source needs. */
export interface Parts {
  readonly files?: Files | undefined;
  readonly names?: Names | undefined;
  readonly store?: Store | undefined;
  /** Before trying the store again. */
  readonly pause: Pause;
}

/** Throws a TypeError when this host has not what the source needs. */
export const readerOf = (
  source: Exclude<MembersSource, { from: 'static' }>,
  { files, names, store, pause }: Parts,
): Reader => {
  if (source.from === 'file') return fileReader(source, here(files, 'files', source));
  if (source.from === 'dns') return dnsReader(source, here(names, 'name servers', source));
  return storeReader(source, here(store, 'store', source), pause);
};

const here = <T>(part: T | undefined, what: string, { from }: MembersSource): T => {
  if (part === undefined) throw new TypeError(`members from ${from}: this host has no ${what}`);
  return part;
};
