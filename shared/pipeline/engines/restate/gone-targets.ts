/**
 * Targets that have said they are gone, the same for all hosts: kept at Restate, and looked up there again and again.
 *
 * Fails open: while Restate cannot be asked, what is known counts; who is gone says so once more.
 */
import type { Clock } from '../../../clock';
import type { Log } from '../../../handler';
import type { GoneTargets } from '../../attempt';
import type { DisabledTarget } from '../../engine';
import type { Ingress } from './ingress';
import type { GoneTargetTable } from './small-services';
import type { Names } from './stored';

/** How old what is known may be, ms. */
export const MAX_AGE = 5_000;

export interface SharedGoneTargets extends GoneTargets {
  /** Looks them up when what is known is too old; else there is nothing to wait for. */
  refresh(): Promise<void> | undefined;
  all(): Promise<readonly DisabledTarget[]>;
  /** Whether it was there. */
  remove(name: string): Promise<boolean>;
}

export interface GoneTargetsOptions {
  readonly ingress: Ingress;
  readonly names: Pick<Names, 'targets'>;
  readonly clock: Clock;
  readonly log: Log;
}

export const sharedGoneTargets = ({
  ingress,
  names,
  clock,
  log,
}: GoneTargetsOptions): SharedGoneTargets => {
  let gone: ReadonlySet<string> = new Set();
  let freshUntil = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;
  const call = <T>(handler: string, body?: unknown) =>
    ingress.call<T>({ service: names.targets, key: 'gone', handler, body });

  const lookUp = async (): Promise<GoneTargetTable> => {
    const table = await call<GoneTargetTable>('all');
    gone = new Set(Object.keys(table));
    freshUntil = clock.now() + MAX_AGE;
    return table;
  };

  return {
    has: (name) => gone.has(name),
    add: async (name) => {
      gone = new Set(gone).add(name);
      // What the attempt has ended with stands, whether or not others can be told.
      await call('disable', { name, at: new Date(clock.now()).toISOString() }).catch(
        (error: unknown) => log.warn('gone_target_not_kept', { error }),
      );
    },
    refresh: () => {
      if (clock.now() < freshUntil) return undefined;
      refreshing ??= lookUp()
        .catch((error: unknown) => {
          freshUntil = clock.now() + MAX_AGE;
          log.warn('gone_targets_unknown', { error });
        })
        .then(() => {
          refreshing = undefined;
        });
      return refreshing;
    },
    all: async () =>
      Object.entries(await lookUp())
        .map(([name, at]) => ({ name, at }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    remove: async (name) => {
      const was = await call<boolean>('enable', { name });
      await lookUp();
      return was;
    },
  };
};
