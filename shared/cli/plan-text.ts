/** The plan of a dry run, for people. */
import { formatDuration } from '../duration';
import type { FullIo } from './io';
import type { PlannedCall, PlannedStep } from './plan';
import { oneLine, type Paint, painter, showJson } from './text';

export interface Plan {
  readonly pipeline: string;
  readonly graph: string;
  /** Made up for this: every run has its own. */
  readonly runId: string;
  readonly steps: readonly PlannedStep[];
}

export const printPlan = (
  { pipeline, graph, runId, steps }: Plan,
  { file, io }: { readonly file: string; readonly io: FullIo },
): string => {
  const paint = painter(io.terminals.stdout, io);
  return [
    `${pipeline}: a dry run of ${oneLine(file)}, nothing is sent`,
    `run ${runId} (made up: every run has its own), graph ${graph.slice(0, 12)}`,
    ...steps.flatMap((step) => ['', ...stepLines(step, { pipeline, runId, paint })]),
    '',
  ].join('\n');
};

interface About {
  readonly pipeline: string;
  readonly runId: string;
  readonly paint: Paint;
}

const stepLines = (step: PlannedStep, { pipeline, runId, paint }: About): readonly string[] => {
  const { step: name, level, action, reason, because, timeout, delay, attempts, after } = step;
  const place = after.length > 0 ? ` after ${after.join(', ')}` : '';
  const wait = delay === undefined ? '' : `, ${formatDuration(delay)} later`;
  const head = `${level}. ${name}`;
  if (action === 'skip')
    return [paint('dim', oneLine(`${head} is skipped (${reason}): ${because}`))];
  if (action === 'wait')
    return [
      oneLine(`${head} waits${place}${wait} for ${because}, ${formatDuration(timeout)} at most`),
      `   answered by POST /${pipeline}/runs/${runId}/signal/${name}`,
    ];
  return [
    `${head} runs${place}${wait}: ${attempts === 1 ? 'one attempt' : `up to ${attempts} attempts`} of ${formatDuration(timeout)}`,
    ...step.calls.flatMap((call) => callLines(call, paint)),
    ...(step.undo?.length ? ['   to take it back:'] : []),
    ...(step.undo ?? []).flatMap((call) => callLines(call, paint)),
  ];
};

const callLines = (call: PlannedCall, paint: Paint): readonly string[] => {
  const { method, url, headers, body, unsigned, refused } = call;
  return [
    `   ${method} ${oneLine(url ?? '(not set)')}`,
    ...(refused === undefined ? [] : [paint('red', `   fails: ${refused}`)]),
    ...Object.entries(headers).map(([name, value]) =>
      paint('dim', `     ${oneLine(`${name}: ${value}`)}`),
    ),
    ...(unsigned === undefined
      ? []
      : [paint('yellow', `     (no webhook-signature: ${unsigned})`)]),
    '',
    `     ${showJson(body)}`,
  ];
};
