/**
 * The instants at which a process may die: right before each operation on the world outside and right after it, before
 * anybody has heard of its outcome. Between two of them nothing happens that outlives the process, so a kill at any
 * other await leaves what one of these leaves.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Platform } from '../../shared/platform';
import type { Store } from '../../shared/store/store';

let points = 0;
let killAt = Number.POSITIVE_INFINITY;

const point = (): void => {
  points += 1;
  if (points === killAt) process.kill(process.pid, 'SIGKILL');
};

/** Counts anew. */
export const arm = (at = Number.POSITIVE_INFINITY): void => {
  points = 0;
  killAt = at;
};

export const pointsSoFar = (): number => points;

const bounded =
  <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> => {
    point();
    try {
      return await work(...args);
    } finally {
      point();
    }
  };

/** Calls of the provider, the login service and the audit sink: when a request is written, and when its answer came. */
export const boundHttp = (): void => {
  subscribe('http.client.request.start', point);
  subscribe('http.client.response.finish', point);
};

export const boundStore = (store: Store): Store => ({
  capabilities: store.capabilities,
  get: bounded(store.get.bind(store)) as Store['get'],
  compareAndSwap: bounded(store.compareAndSwap.bind(store)) as Store['compareAndSwap'],
  delete: bounded(store.delete.bind(store)),
  list: bounded(store.list.bind(store)) as Store['list'],
  watch: store.watch.bind(store),
  close: store.close.bind(store),
});

export const boundSenders = ({
  mail,
  sms,
  smsReports,
}: Pick<Platform, 'mail' | 'sms'> & Required<Pick<Platform, 'smsReports'>>) => ({
  mail: bounded(mail),
  sms: bounded(sms),
  smsReports: smsReports && { read: smsReports.read, find: bounded(smsReports.find) },
});
