/** The catalogue: every function by its name, loaded at first use. One line each and nothing else. */
import type { AnyFunction } from '../shared/define';

export const catalogue: Readonly<Record<string, () => Promise<{ readonly default: AnyFunction }>>> =
  {
    'add-defaults': () => import('./add-defaults'),
    'create-user': () => import('./create-user'),
    'email-user': () => import('./email-user'),
    'shard-owner': () => import('./shard-owner'),
    'shard-router': () => import('./shard-router'),
    'subscribe-user': () => import('./subscribe-user'),
    'two-factor': () => import('./two-factor'),
  };
