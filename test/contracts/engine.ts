/** What every engine does, whatever it keeps its runs in. */
import { afterAll, beforeAll, describe } from '@jest/globals';
import { accepting } from './engine-accept';
import { answering } from './engine-commands';
import { delivering } from './engine-deliver';
import type { CreateEngineLab } from './engine-lab';
import { listing } from './engine-lists';
import { replaying } from './engine-replay';
import { restarting } from './engine-restart';
import { createWorld, type World } from './engine-world';

/** Runs the whole contract on one engine, which begins empty. */
export const describeEngine = (name: string, createLab: CreateEngineLab): void => {
  describe(`${name}: the contract`, () => {
    let world: World;
    beforeAll(async () => {
      world = await createWorld('contract', createLab);
    }, 120_000);
    afterAll(() => world.lab.close());

    const get = () => world;
    accepting(get);
    delivering(get);
    answering(get);
    replaying(get);
    listing(get);
    restarting(get);
  });
};
