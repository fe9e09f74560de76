/**
 * What node:http makes of each part of a body that comes in is garbage as soon as the part has gone on. V8 lets 32 MiB of that
 * gather before it looks, which is more than a body on its way through may take; so it is asked to look sooner.
 *
 * Only large bodies come this far. Where nobody can ask, nothing is lost but memory for a while.
 */

/** Bytes on their way through, between two sweeps. */
const INTERVAL = 8 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let passed = 0;
let collect: Collect | undefined;
let isAsked = false;

/** Takes note of bytes that were read and will not be needed any more. */
export const sweepAfter = (bytes: number): void => {
  passed += bytes;
  if (passed < INTERVAL) return;
  passed = 0;
  collect?.({ type: 'minor' });
  if (isAsked) return;
  isAsked = true;
  load().catch(() => undefined);
};

/** The young generation alone: its survivors are few, and it takes a fraction of a millisecond. */
const load = async (): Promise<void> => {
  const [v8, vm] = await Promise.all([import('node:v8'), import('node:vm')]);
  v8.setFlagsFromString('--expose-gc');
  const found: unknown = vm.runInNewContext('gc');
  v8.setFlagsFromString('--no-expose-gc');
  if (typeof found === 'function') collect = found as Collect;
};
