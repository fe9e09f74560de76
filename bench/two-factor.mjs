/** Issuing and verifying codes, beside better-auth: the part of the benchmark, with the tables that it fills. */
import { takeClientCore } from './machine.mjs';
import { provideDatabases } from './pipelines/install.mjs';
import { measure, OPERATIONS } from './two-factor/measure.mjs';
import { bundleHost, ROWS } from './two-factor/rows.mjs';
import { operationTable, ratiosTable } from './two-factor/tables.mjs';

const CONCURRENCIES = [1, 16, 64];

export const twoFactor = async ({ rounds = 5, seconds = 1 }) => {
  takeClientCore();
  provideDatabases();
  await bundleHost();
  const rows = [];
  try {
    for (const start of ROWS) {
      const row = await start();
      console.error(`${row.name} is up.`);
      rows.push(row);
    }
    const figures = await measure(rows, { concurrencies: CONCURRENCIES, rounds, seconds });
    return {
      ...Object.fromEntries(
        OPERATIONS.map((operation) => [
          `two-factor-${operation}`,
          operationTable(figures, operation),
        ]),
      ),
      'two-factor-ratios': ratiosTable(figures),
    };
  } finally {
    for (const row of rows) await row.stop();
  }
};
