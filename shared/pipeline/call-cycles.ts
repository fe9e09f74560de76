/** Pipelines that call each other: a run of one would start runs for ever. */
import type { YamlDocument } from './document';
import { findKnots } from './graph';
import type { Pipeline, PipelineMistake } from './pipeline';

export interface PipelineFile {
  readonly file: string;
  readonly pipeline: Pipeline;
  readonly locate: YamlDocument['locate'];
}

export interface CallCycles {
  /** Names of the pipelines that take part in one. */
  readonly names: readonly string[];
  readonly mistakes: readonly PipelineMistake[];
}

export const findCallCycles = (files: ReadonlyMap<string, PipelineFile>): CallCycles => {
  const calls = new Map([...files].map(([name, { pipeline }]) => [name, calledBy(pipeline)]));
  const knots = findKnots(calls);
  return {
    names: knots.flatMap(({ names }) => names),
    mistakes: knots.map(({ cycle }) => explain(files, cycle)),
  };
};

const calledBy = ({ steps }: Pipeline): readonly string[] =>
  steps.flatMap(({ target }) => ('function' in target ? [target.function] : []));

const explain = (
  files: ReadonlyMap<string, PipelineFile>,
  cycle: readonly string[],
): PipelineMistake => {
  const [first, second] = cycle as [string, string];
  const { file, pipeline, locate } = files.get(first) as PipelineFile;
  const step = pipeline.steps.find(
    ({ target }) => 'function' in target && target.function === second,
  );
  return {
    file,
    ...locate(`/steps/${step?.name}/function`),
    code: 'calls_itself',
    message: `these pipelines call each other: ${cycle.join(' -> ')}`,
    severity: 'error',
  };
};
