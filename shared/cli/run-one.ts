/** One run: started, and followed to its end when somebody waits for that. */

import { formatDuration } from '../duration';
import type { Run } from '../pipeline/run';
import type { RunCall } from './pipeline-run';
import { progressFor } from './progress';
import { awaitEnd, readKey, start } from './start';
import { explainFailures } from './step-text';
import { oneLine, painter } from './text';

export const runOne = async (
  pipeline: string,
  text: string,
  { values, io, connect }: RunCall,
  wait: number | undefined,
): Promise<number> => {
  const client = connect();
  const json = values.json === true;
  const { run, location } = await start(client, pipeline, text, {
    key: readKey(values['idempotency-key']),
    io,
  });
  if (wait === undefined) {
    io.stdout(
      json
        ? `${JSON.stringify({ id: run.id, location, state: run.state })}\n`
        : oneLine(`run ${run.id}  ${location}`).concat('\n'),
    );
    return 0;
  }
  if (!json) io.stdout(`${oneLine(`run ${run.id}  ${location}`)}\n`);
  const ended = await awaitEnd(run, { client, io, wait, ...progressFor(io, { json }) });
  if (!json) io.stdout(farewell(ended, painter(io.terminals.stdout, io)));
  if (ended.state !== 'running') return ended.state === 'succeeded' ? 0 : 1;
  io.stderr(
    `the run has not ended within ${formatDuration(wait)}; it goes on, and ${oneLine(location)} tells how\n`,
  );
  return 1;
};

const farewell = (run: Run, paint: ReturnType<typeof painter>): string => {
  if (run.state === 'running') return '';
  const end = run.state === 'cancelled' ? 'was cancelled' : `has ${run.state}`;
  const colour = run.state === 'succeeded' ? 'green' : run.state === 'failed' ? 'red' : 'yellow';
  return `${explainFailures(run)
    .map((line) => `  ${oneLine(line)}\n`)
    .join('')}${paint(colour, `the run ${end}`)}\n`;
};
