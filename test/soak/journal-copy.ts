/** What a crash has left in the journal of the local engine, read from a copy: the file itself stays as it was left. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openJournal } from '../../shared/pipeline/engines/journal';
import { liveRun } from '../../shared/pipeline/engines/live-run';
import type { CallResult, Run, StepResult } from '../../shared/pipeline/run';

/** Runs by the names of their pipelines: of each there is one at most. */
export const readCopy = async (
  path: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Run>> => {
  if (!existsSync(path)) return new Map();
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  try {
    // Not by this process: closing the file here would drop the locks that others have on it.
    execFileSync('cp', [path, `${path}-wal`, folder].filter(existsSync));
    const journal = await openJournal(join(folder, basename(path)));
    const found = new Map<string, Run>();
    for (const name of names) {
      const { runs } = await journal.list({ pipeline: name });
      if (runs.length > 1) throw new Error(`${name} has ${runs.length} runs under one key`);
      const run = runs[0] && (await journal.find(name, runs[0].id));
      if (run) found.set(name, liveRun(run).shown);
    }
    await journal.close();
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

export type Standing = 'ended' | 'under way' | 'not begun';

/** How the journal has one attempt at a step, or at what undoes it. */
export const standingOf = (run: Run, step: string, undo: boolean, attempt: number): Standing => {
  const result = run.steps[step];
  const call: (CallResult & { readonly state: StepResult['state'] }) | undefined = undo
    ? result?.undo
    : result;
  if (!call || attempt > call.attempts) return 'not begun';
  if (attempt < call.attempts || call.nextAttemptAt !== undefined) return 'ended';
  return call.state === 'running' ? 'under way' : 'ended';
};
