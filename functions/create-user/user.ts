/** The user record and how a repeat of its own creation is told from a second user. */

export interface User {
  readonly id: string;
  readonly username: string;
  /** As it can be written to; uniqueness goes by its canonical form, in the key of the record. */
  readonly email: string;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  /** SHA-256 of the idempotency key that created it; absent when there was none. */
  readonly key?: string;
}

/** What the caller gets: what it does not know yet. Nothing personal, because answers are kept for repeats. */
export const answerOf = ({ id, createdAt }: User) => ({ id, createdAt });

/** The same wish again, after a crash before its answer was kept. */
export const isRepeat = (existing: User, key: string | undefined): boolean =>
  key !== undefined && existing.key === key;
