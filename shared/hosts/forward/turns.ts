/**
 * Writing on connections that were kept: not at once, but after the event loop has looked at what came. What the other side
 * has said or ended in the meantime is known then, and cannot be taken for an answer to what is written.
 */
import type { Connection } from './connection';

let waiting: Connection[] = [];

const flush = (): void => {
  const now = waiting;
  waiting = [];
  // One that was closed has told its user already, who has gone on with another.
  for (const connection of now) if (!connection.isLost) connection.user?.ready();
};

/** Tells the user of a kept connection that it is ready, in this turn of the event loop or the next. */
export const inTurn = (connection: Connection): void => {
  if (waiting.push(connection) === 1) setImmediate(flush);
};
