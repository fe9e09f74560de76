/** A host of the campaign, from outside: it is told what to do, and it may die of it. */
import type { Run } from '../../shared/pipeline/run';
import { type Child, type ChildOptions, startChild } from '../support/child';
import type { Told, Wish } from './protocol';

/** How a wish has ended. */
export interface Fulfilled {
  /** All that was printed, whatever became of the process. */
  readonly accepted: ReadonlyMap<string, string>;
  readonly ended: ReadonlyMap<string, Run>;
  /** How many there were to be killed at; `undefined`: it was killed. */
  readonly boundaries: number | undefined;
}

export interface Host {
  readonly pid: number;
  /** `onSeen`: told of each state of a run that the host has seen. Rejects when the host broke by itself. */
  fulfil(wish: Wish, onSeen?: (name: string, run: Run) => void): Promise<Fulfilled>;
  kill(): void;
  readonly ended: Promise<unknown>;
}

/** Longer than any of them needs, ms: also one that waits for its servers. */
const PATIENCE = 90_000;

export const startHost = async (entry: string, options: ChildOptions = {}): Promise<Host> => {
  const child = await startChild(entry, [], { timeout: 3_600_000, ...options });
  return {
    pid: child.pid,
    fulfil: (wish, onSeen = () => {}) => {
      child.send(JSON.stringify(wish));
      return heard(child, onSeen);
    },
    kill: () => child.kill('SIGKILL'),
    ended: child.ended,
  };
};

const heard = async (
  child: Child,
  onSeen: (name: string, run: Run) => void,
): Promise<Fulfilled> => {
  const accepted = new Map<string, string>();
  const ended = new Map<string, Run>();
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, PATIENCE);
  try {
    for (;;) {
      const told = await lineOf(child);
      if (told === undefined) {
        const { signal, stderr } = await child.ended;
        if (isLate) throw new Error(`the host did not end within ${PATIENCE} ms`);
        if (signal !== 'SIGKILL') throw new Error(`the host broke: ${stderr}`);
        return { accepted, ended, boundaries: undefined };
      }
      if (told.kind === 'failed') throw new Error(`the host failed: ${told.message}`);
      if (told.kind === 'accepted') accepted.set(told.name, told.id);
      if (told.kind === 'seen' || told.kind === 'ended') onSeen(told.name, told.run);
      if (told.kind === 'ended') ended.set(told.name, told.run);
      if (told.kind === 'opened') return { accepted, ended, boundaries: 0 };
      if (told.kind === 'done') return { accepted, ended, boundaries: told.boundaries };
    }
  } finally {
    clearTimeout(late);
  }
};

/** `undefined`: there will be none. */
const lineOf = (child: Child): Promise<Told | undefined> =>
  child.line().then(
    (line) => JSON.parse(line) as Told,
    () => undefined,
  );
