/** Replicas behind balancers that are restarted under load: nobody notices. */
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
  const { requests, posts, restarts, users, ...wrong } = await rollReplicas({
    seed: 7,
    rounds: 2,
    rate: Number(process.env.RATE ?? 150),
  });
  expect(restarts).toBe(6);
  expect(requests).toBeGreaterThan(1_000);
  expect(posts).toBeGreaterThan(requests / 2);
  expect(wrong).toEqual({ failed: [], notOnce: [], exits: [] });
  expect(users[1]).toBe(users[0]);
}, 120_000);
