/**
 * The same idempotency key, the same answer: a decorator that lets one request of a key through and keeps its answer
 * (IETF draft-ietf-httpapi-idempotency-key-header).
 *
 * Fails closed: when the store cannot be used, nothing behind is called. The answer lies in the store as it stands:
 * a body that holds a secret makes the store hold it too.
 */
import type { Clock } from './clock';
import { mayBeEvent, readWish } from './event/wish';
import { asFailure, Failure } from './failure';
import type { Decorator, Handler } from './handler';
import { readBytes } from './http/body';
import { idempotencyKeyOf } from './http/idempotency-key';
import { rawQuery } from './http/raw-query';
import { problem } from './http/response';
import { withBody } from './http/with-body';
import { fingerprint, hasFingerprint, sha256, UNKEYED } from './idempotency/fingerprint';
import { type KeptAnswer, keepAnswer, replayAnswer } from './idempotency/kept-answer';
import type { Keyring } from './keys';
import { ABSENT, type Entry, type Store } from './store/store';

export interface IdempotentOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Of the function: the same key at another function is another wish. */
  readonly name: string;
  /**
   * Key the fingerprints of bodies, so that a copy of the store cannot be tried against guessed names or numbers.
   * @default none: plain digests
   */
  readonly fingerprintKeys?: Keyring;
  /**
   * How long the first request may take before another of its key is let through, in ms. Choose it longer than the
   * handler's own bounds: a request that outlives its lock still answers, but its answer is not kept. @default 10000
   */
  readonly lockFor?: number;
  /** How long an answer is kept, in ms. @default 86400000 (24 h) */
  readonly keepFor?: number;
}

type Reservation = { readonly fingerprint: string } & (
  | { readonly state: 'in_progress' }
  | { readonly state: 'done'; readonly answer: KeptAnswer }
);

/**
 * For requests with an Idempotency-Key, else with source and id of a CloudEvent; others pass straight through, as does
 * an event that is not valid.
 *
 * - The first of a key runs, and its answer is kept if it is final: A failure that may pass (5xx, 408, 409,
 *   429, 499) is not kept, so the next try runs again.
 * - While it runs, others reject with `in_progress` and Retry-After.
 * - Afterwards they get the first answer, byte for byte, with `idempotent-replayed: true`.
 * - The same key with another method, path, query or body rejects with `idempotency_mismatch`.
 *
 * A crash between the effect and keeping its answer lets the next try run once the lock has ended: what is behind
 * must know its own effect again, by the key. Answers must fit in the store (`capabilities.maxValue`).
 */
export const idempotent = ({
  store,
  clock,
  name,
  fingerprintKeys = UNKEYED,
  lockFor = 10_000,
  keepFor = 86_400_000,
}: IdempotentOptions): Decorator => {
  const shortest = Math.max(1, store.capabilities.minTtl);
  if (!Number.isSafeInteger(lockFor) || lockFor < shortest)
    throw new TypeError(`lockFor must be whole milliseconds, at least ${shortest}`);
  if (!Number.isSafeInteger(keepFor) || keepFor < lockFor)
    throw new TypeError('keepFor must be whole milliseconds, at least lockFor');

  /** Our own reservation, or what the first request of this key left. */
  const reserve = async (key: string, reservation: Reservation) => {
    // The other entry can end between a lost swap and the read. Time after time, somebody else is there.
    for (let tries = 0; tries < 3; tries++) {
      const mine = await store.compareAndSwap(key, ABSENT, reservation, { ttl: lockFor });
      if (mine) return { mine };
      const theirs = await store.get<Reservation>(key);
      if (theirs) return { theirs };
    }
    throw inProgress(1);
  };

  const untilUnlocked = ({ expiresAt = 0 }: Entry): number =>
    Math.min(lockFor, Math.max(1, expiresAt - clock.now()));

  return (next) => async (request, context) => {
    const given = idempotencyKeyOf(request);
    if (given === undefined && !mayBeEvent(request.headers)) return next(request, context);
    const bytes = await readBytes(request);
    const wish =
      given === undefined ? await readWish(request, bytes) : { key: given, content: bytes };
    if (!wish) return next(withBody(request, bytes), context);
    const key = `idempotent/${name}/${sha256(wish.key)}`;
    const asked = [request.method, context.path, rawQuery(request.url), sha256(wish.content)];
    const { mine, theirs } = await reserve(key, {
      fingerprint: fingerprint(fingerprintKeys, ...asked),
      state: 'in_progress',
    });
    if (theirs) {
      if (!hasFingerprint(theirs.value.fingerprint, fingerprintKeys, ...asked))
        throw new Failure('idempotency_mismatch');
      if (theirs.value.state === 'in_progress') throw inProgress(untilUnlocked(theirs));
      return replayAnswer(theirs.value.answer);
    }
    /** The lock ends by itself; that it could not be taken away must not hide why it should be. */
    const release = () =>
      store.delete(key, mine.version).catch((cause: unknown) => {
        context.log.warn('idempotency_key_not_released', { cause });
      });
    let response: Response;
    try {
      response = await finalAnswers(next)(withBody(request, bytes), context);
    } catch (thrown) {
      await release();
      throw thrown;
    }
    if (mayPass(response.status)) {
      await release();
      return response;
    }
    const done: Reservation = {
      fingerprint: mine.value.fingerprint,
      state: 'done',
      answer: await keepAnswer(response.clone()),
    };
    const kept = await store.compareAndSwap(key, mine.version, done, { ttl: keepFor });
    if (!kept) context.log.warn('idempotency_lock_lost', { function: name });
    return response;
  };
};

/** A final failure is an answer like any other; one that may pass is thrown on. */
const finalAnswers =
  (next: Handler): Handler =>
  async (request, context) => {
    try {
      return await next(request, context);
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.retryable) throw thrown;
      return problem(failure, context.id);
    }
  };

/** Timed out, in progress, too many requests, client gone. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 429, 499]);

const mayPass = (status: number): boolean => status >= 500 || PASSING.has(status);

const inProgress = (ms: number): Failure =>
  new Failure('in_progress', { headers: { 'retry-after': String(Math.ceil(ms / 1_000)) } });
