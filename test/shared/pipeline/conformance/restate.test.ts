/** The engine on Restate keeps the contract of all engines, and ends as the model says. */
import { afterAll, beforeAll } from '@jest/globals';
import { describeEngine } from '../../../contracts/engine';
import { describeConformance } from '../../../contracts/engine-conformance';
import { type RestateServer, startRestate } from '../../../support/restate';
import { createRestateLab, PASSING } from './restate-lab';

let server: RestateServer;
beforeAll(async () => {
  server = await startRestate();
}, 120_000);
afterAll(() => server.stop());

const createLab = createRestateLab(() => server);
describeEngine('restate', createLab);
describeConformance('restate', createLab, { count: 100, atOnce: 25, profile: PASSING });
