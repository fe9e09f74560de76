/**
 * Members in a file, read whole each time: time and size miss a rewrite within their grain, and a swapped symbolic link
 * (as Kubernetes mounts a ConfigMap) is another file. A read that hangs, as on a lost network disk, holds one of the few
 * threads of the process: there is never a second one.
 *
 * Fails closed: a file that is half written is a mistake.
 */
import { parseDuration } from '../../duration';
import type { Failure } from '../../failure';
import { parseJson } from '../../json';
import type { Files } from '../../platform';
import type { TopologyInput } from '../topology';
import { MEMBERS_FILE_SCHEMA, type ReadMembers, readMembersDocument } from './document';
import type { Reader } from './reader';
import type { MembersSource } from './source';

export const fileReader = (
  { path, every = '2s' }: Extract<MembersSource, { from: 'file' }>,
  files: Files,
): Reader => {
  let before: Promise<unknown> = Promise.resolve();
  return {
    name: `file ${path}`,
    every: parseDuration(every) as number,
    // Whoever puts back an old file wants it.
    onlyNewer: false,
    look: async (signal) => {
      await before;
      signal.throwIfAborted();
      const reading = files.read(path);
      before = reading.catch(() => undefined);
      const text = await reading;
      return { mark: text, read: (topology) => membersOf(topology, text) };
    },
  };
};

const membersOf = (topology: TopologyInput, text: string): ReadMembers => {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (thrown) {
    return { mistakes: [{ pointer: '', message: (thrown as Failure).message }] };
  }
  return readMembersDocument(topology, value, MEMBERS_FILE_SCHEMA);
};
