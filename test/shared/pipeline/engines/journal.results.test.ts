/** What a step gave comes out of the journal as it went in, whatever it is. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { openJournal } from '../../../../shared/pipeline/engines/journal';
import { begin } from '../../../../shared/pipeline/machine/begin';
import type { Progress } from '../../../../shared/pipeline/progress';
import type { StepResult } from '../../../../shared/pipeline/run';
import { createFolder, pipelineOf, TRACEPARENT } from './lab';

const folder = createFolder();
afterAll(() => folder.clean());

const NOW = Date.UTC(2026, 0, 1);
const pipeline = pipelineOf({ 'with-dash': {}, b: {}, c: {} });

const deep = (levels: number): unknown => (levels === 0 ? 0 : [deep(levels - 1)]);

const OUTPUTS: readonly unknown[] = [
  null,
  false,
  0,
  -1.5e-7,
  1e21,
  Number.MAX_SAFE_INTEGER,
  '',
  'quotes " and \\ and / and \u0000 and \n and \u2028',
  'Å 漢 🜨',
  '{"state":"failed"}',
  [],
  {},
  { '': 1, 'a.b': 2, '$[0]': 3, 'ключ "1"': 4 },
  deep(500),
];

describe('the results of a run in the journal', () => {
  test.each(OUTPUTS)('%j comes back as it was', async (output) => {
    const journal = await openJournal(folder.file());
    const record = {
      id: 'run',
      pipeline,
      input: {},
      traceparent: TRACEPARENT,
      createdAt: new Date(NOW).toISOString(),
    };
    const accepted = begin(pipeline, { input: {}, isConfigured: () => true, now: NOW });
    const run = { serial: 1, record, dueAt: 0 };
    await journal.accept({ ...run, progress: accepted, key: undefined, fingerprint: '' });
    const result: StepResult = { state: 'succeeded', attempts: 1, output, kept: { '/k': output } };
    const progress: Progress = {
      ...accepted,
      results: { ...accepted.results, 'with-dash': result, c: { ...result, attempts: 2 } },
    };
    await journal.record(() => ({ ...run, progress, saved: accepted }));
    expect((await journal.find(pipeline.name, 'run'))?.progress).toEqual(progress);
    await journal.close();
  });
});
