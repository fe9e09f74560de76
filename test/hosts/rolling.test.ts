/** Replicas behind balancers are restarted under load, and nobody notices. The long form: `npm run soak -- rolling`. */
import { beforeAll, expect, test } from '@jest/globals';
import { provideHaproxy } from '../support/haproxy';
import { provideNginx } from '../support/nginx';
import { provideRedis } from '../support/redis';
import { rollReplicas } from '../support/rolling';

beforeAll(() => {
  provideNginx();
  provideHaproxy();
  provideRedis();
}, 240_000);

test('three replicas restarted one after the other behind nginx and HAProxy: no request fails, and no POST is done twice', async () => {
  const { requests, posts, restarts, users, violations } = await rollReplicas({
    seed: 7,
    rounds: 1,
    rate: 250,
  });
  expect(violations).toEqual([]);
  expect(restarts).toBe(3);
  expect(requests).toBeGreaterThan(1_000);
  expect(posts).toBeGreaterThan(requests / 2);
  expect(users).toBeGreaterThan(posts / 3);
}, 120_000);
