/** A driver: a DBOS workflow of five steps side by side, started and waited for in the same process. */
const { randomUUID } = require('node:crypto');
const { DBOS } = require('@dbos-inc/dbos-sdk');
const { drive } = require('./driver.cjs');
const { INPUT } = require('./input.cjs');
// Bundled by the set-up.
const { deliverStep, STEPS } = require(process.env.DELIVERY);

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: process.env.POSTGRES_URL,
  systemDatabasePoolSize: 20,
  logLevel: 'error',
});

const retry = { retriesAllowed: true, maxAttempts: 5, intervalSeconds: 0.5 };
const fanOut = DBOS.registerWorkflow(
  async (input) => {
    const { workflowID } = DBOS;
    await Promise.all(
      STEPS.map((name, step) =>
        DBOS.runStep(() => deliverStep(workflowID, step, input), { name, ...retry }),
      ),
    );
  },
  { name: 'fan-out' },
);

const run = async () => {
  const handle = await DBOS.startWorkflow(fanOut, { workflowID: randomUUID() })(INPUT);
  await handle.getResult();
};

DBOS.launch().then(() => drive(() => run));
