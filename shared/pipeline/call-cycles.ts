/** Pipelines that start each other, by a call or by an event: a run of one would start runs for ever. */
import type { YamlDocument } from './document';
import { quote } from './finding';
import { findKnots } from './graph';
import { EMITS, type Pipeline, type PipelineMistake } from './pipeline';

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

type Files = ReadonlyMap<string, PipelineFile>;

export const findCallCycles = (files: Files): CallCycles => {
  const starts = new Map(
    [...files].map(([name, { pipeline }]) => [name, startedBy(pipeline, files)]),
  );
  const knots = findKnots(
    new Map([...starts].map(([name, found]) => [name, found.map(({ pipeline }) => pipeline)])),
  );
  return {
    names: knots.flatMap(({ names }) => names),
    mistakes: knots.map(({ cycle }) => explain(files, starts, cycle)),
  };
};

/** One pipeline starts another. */
interface Start {
  readonly pipeline: string;
  /** JSON Pointer to what in the file says so. */
  readonly pointer: string;
  readonly how: string;
}

const startedBy = ({ steps }: Pipeline, files: Files): readonly Start[] =>
  steps.flatMap(({ name, target, undo }): readonly Start[] => [
    ...('function' in target ? [called(target.function, `/steps/${name}/function`)] : []),
    ...(undo && 'function' in undo.target
      ? [called(undo.target.function, `/steps/${name}/undo/function`)]
      : []),
    ...('event' in target ? subscribers(target.event, files) : []),
  ]);

const called = (pipeline: string, pointer: string): Start => ({
  pipeline,
  pointer,
  how: 'by call',
});

const subscribers = (type: string, files: Files): readonly Start[] =>
  [...files]
    .filter(([, { pipeline }]) => pipeline.on === type)
    .map(([pipeline]) => ({ pipeline, pointer: `/${EMITS}/type`, how: `by event ${quote(type)}` }));

const explain = (
  files: Files,
  starts: ReadonlyMap<string, readonly Start[]>,
  cycle: readonly string[],
): PipelineMistake => {
  const first = cycle[0] as string;
  const ways = cycle.slice(1).map((name, i) => {
    const found = starts.get(cycle[i] as string)?.find(({ pipeline }) => pipeline === name);
    return found as Start;
  });
  const { file, locate } = files.get(first) as PipelineFile;
  const path = ways.map(({ pipeline, how }) => `${pipeline} (${how})`).join(' -> ');
  return {
    file,
    ...locate((ways[0] as Start).pointer),
    code: 'calls_itself',
    message: `these pipelines start each other, for ever: ${first} -> ${path}; take one of these out`,
    severity: 'error',
  };
};
