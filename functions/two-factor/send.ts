/** Sends one message within a bound. What goes wrong comes out as `send_failed` or `send_refused`, with no word of it. */
import type { Clock } from '../../shared/clock';
import { Failure } from '../../shared/failure';

export interface SendWithinOptions {
  readonly clock: Clock;
  /** ms */
  readonly timeout: number;
}

/**
 * Not bound to the caller's signal: whether a message is out must not depend on who still listens, and a delivery
 * that is cut off in the middle would be sent a second time.
 */
export const sendWithin = async (
  { clock, timeout }: SendWithinOptions,
  send: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const late = new AbortController();
  const settled = new AbortController();
  const bound = clock.sleep(timeout, settled.signal).then(() => {
    late.abort();
    throw new Failure('send_failed');
  });
  try {
    await Promise.race([send(late.signal), bound]);
  } catch (thrown) {
    if (
      thrown instanceof Failure &&
      (thrown.code === 'send_failed' || thrown.code === 'send_refused')
    )
      throw thrown;
    // A stranger's error may hold the message: not even its words go into the log.
    throw new Failure('send_failed');
  } finally {
    bound.catch(() => {});
    settled.abort();
  }
};
