/** A driver: a BullMQ flow of a parent with five children; the workers are in the same process. */
const { randomUUID } = require('node:crypto');
const { FlowProducer, Worker } = require('bullmq');
const { drive } = require('./driver.cjs');
const { INPUT } = require('./input.cjs');
// Bundled by the set-up.
const { deliverStep, STEPS } = require(process.env.DELIVERY);

const connection = {
  host: '127.0.0.1',
  port: Number(process.env.REDIS_PORT),
  maxRetriesPerRequest: null,
};
const flows = new FlowProducer({ connection });
const waiting = new Map();

const steps = new Worker('steps', ({ data }) => deliverStep(data.runId, data.step, data.input), {
  connection,
  concurrency: 5 * 64,
});
const runs = new Worker('runs', async () => {}, { connection, concurrency: 64 });
// By the worker, once it has recorded the end: an event over Redis would come later.
runs.on('completed', ({ data }) => {
  waiting.get(data.runId)?.();
  waiting.delete(data.runId);
});
for (const one of [flows, steps, runs])
  one.on('error', (error) => {
    throw error;
  });
steps.on('failed', (_, error) => {
  throw error;
});

const attempts = { attempts: 5, backoff: { type: 'exponential', delay: 500 } };
const run = async () => {
  const runId = randomUUID();
  const ended = new Promise((resolve) => waiting.set(runId, resolve));
  await flows.add({
    name: 'fan-out',
    queueName: 'runs',
    data: { runId },
    children: STEPS.map((name, step) => ({
      name,
      queueName: 'steps',
      data: { runId, step, input: INPUT },
      opts: attempts,
    })),
  });
  await ended;
};

void Promise.all([steps.waitUntilReady(), runs.waitUntilReady()]).then(() => drive(() => run));
