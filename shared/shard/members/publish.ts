/**
 * Members in the store, written by compare-and-swap. Fails closed: what would make no table is not written.
 */
import type { InputError } from '../../failure';
import type { Entry, Store, Version } from '../../store/store';
import { toBytes } from '../bytes';
import type { TopologyInput } from '../topology';
import { type CheckShards, checked, readMembersDocument } from './document';

export interface PublishMembersOptions {
  /** What the members go into: with them it must make a table. */
  readonly topology: TopologyInput;
  /** The epoch that they replace, 0 for none; another one there is a lost race. @default whatever is there now */
  readonly expected?: Version;
  /** @default what makes a table will do */
  readonly check?: CheckShards | undefined;
}

export type Published =
  /** They are there, as this epoch. */
  | { readonly epoch: number }
  /** Nothing is written. */
  | { readonly mistakes: readonly InputError[] }
  /** Nothing is written: somebody else was first, and there is this epoch now; 0: nothing is there. */
  | { readonly lostTo: number };

export interface StoredMembers {
  readonly epoch: number;
  /** As they were written; others than `publishMembers` may have written them. */
  readonly members: unknown;
}

/**
 * Writes what `MembersInput` describes. Rejects with `store_unavailable`; then it may have been written all the same.
 */
export const publishMembers = async (
  store: Store,
  key: string,
  members: unknown,
  { topology, expected, check }: PublishMembersOptions,
): Promise<Published> => {
  const read = checked(readMembersDocument(topology, members), check);
  if ('mistakes' in read) return read;
  const { maxValue } = store.capabilities;
  if (toBytes(JSON.stringify(members)).length > maxValue)
    return { mistakes: [{ pointer: '', message: `must have at most ${maxValue} bytes` }] };
  const replaced = expected ?? (await versionOf(store, key));
  const written: Entry | undefined = await store.compareAndSwap(key, replaced, members);
  return written ? { epoch: written.version } : { lostTo: await versionOf(store, key) };
};

/** `undefined`: there are none. Rejects with `store_unavailable`. */
export const readMembers = async (
  store: Store,
  key: string,
): Promise<StoredMembers | undefined> => {
  const entry = await store.get(key);
  return entry && { epoch: entry.version, members: entry.value };
};

const versionOf = async (store: Store, key: string): Promise<Version> =>
  (await store.get(key))?.version ?? 0;
