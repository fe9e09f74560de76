/**
 * Work for behind an answer. What is begun before it takes its time from it, and what is to be done after a code was
 * refused, or was sent, is not the same: an answer that waits for it would tell whom it was for.
 *
 * Fails open: the answer is out, and what this leaves undone others take up, or stays counted.
 */
import type { Context } from '../../shared/handler';

export interface Behind {
  later(work: () => Promise<unknown>): void;
  /** Once the answer is made, or will never be: begins what was put off. */
  begin(): void;
}

/** The answer goes out in the turn of the event loop in which it is made. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const behind = ({ waitUntil }: Pick<Context, 'waitUntil'>): Behind => {
  const works: (() => Promise<unknown>)[] = [];
  return {
    later: (work) => void works.push(work),
    begin: () => {
      if (works.length === 0) return;
      const begun = works.splice(0);
      waitUntil(turn().then(() => Promise.all(begun.map((work) => work()))));
    },
  };
};
