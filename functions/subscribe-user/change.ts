/** Writes what was decided about a subscription, and decides anew when somebody else was first. */
import { Failure } from '../../shared/failure';
import type { Store } from '../../shared/store/store';
import { MAX_ROUNDS, type Subscription } from './subscription';

/**
 * Resolves with what `decide` said of the record that stands in the end. What it changes stays for good, as only
 * pending records expire. Rejects with `in_progress` after too many lost races, or as the store does.
 */
export const changeSubscription = async (
  store: Store,
  key: string,
  decide: (known: Subscription | undefined) => Subscription | undefined,
): Promise<Subscription | undefined> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = await store.get<Subscription>(key);
    const decided = decide(known?.value);
    if (!known || !decided || decided === known.value) return decided;
    if (await store.compareAndSwap(key, known.version, decided)) return decided;
  }
  throw new Failure('in_progress');
};
