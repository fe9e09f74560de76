/** Which functions a process serves: all of the catalogue and of the pipelines, or the one that FUNCTION_TARGET names. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Environment, Mistake } from '../config';
import type { AnyFunction } from '../define';
import type { Pipeline } from '../pipeline/pipeline';
import type { SuiteConfig } from './environment';
import type { Catalogue } from './suite';

export interface SelectOptions {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly folder: string;
  readonly config: SuiteConfig;
  /** Takes what is wrong. */
  readonly mistakes: Mistake[];
}

export interface Selection {
  readonly functions: readonly AnyFunction[];
  /** Names of the functions that an event of this type starts, served here or beside. */
  subscribers(type: string): readonly string[];
}

export const selectFunctions = async (options: SelectOptions): Promise<Selection> => {
  const { catalogue, config, mistakes } = options;
  const target = config.FUNCTION_TARGET;
  if (target !== undefined && Object.hasOwn(catalogue, target))
    return { functions: [await load(catalogue, target)], subscribers: () => [] };
  const pipelines = await loadPipelines(options);
  const served = target === undefined ? pipelines : pipelines.filter(({ name }) => name === target);
  const subscribers = (type: string) =>
    pipelines.filter(({ on }) => on === type).map(({ name }) => name);
  for (const pipeline of served) mistakes.push(...checkTargets(pipeline, subscribers, options));
  const { pipelineFunction } = await import('../pipeline/function');
  const functions = served.map((pipeline) =>
    pipelineFunction(pipeline, { example: exampleOf(pipeline) }),
  );
  if (target === undefined)
    return {
      functions: [
        ...(await Promise.all(Object.keys(catalogue).map((name) => load(catalogue, name)))),
        ...functions,
      ],
      subscribers,
    };
  if (functions.length === 0 && mistakes.length === 0) {
    const names = [...Object.keys(catalogue), ...pipelines.map(({ name }) => name)];
    mistakes.push({
      name: 'FUNCTION_TARGET',
      message: `there is no function ${JSON.stringify(target)}; there are ${names.join(', ')}`,
    });
  }
  return { functions, subscribers };
};

const load = async (catalogue: Catalogue, name: string): Promise<AnyFunction> => {
  const module = await catalogue[name]?.();
  return module?.default as AnyFunction;
};

const loadPipelines = async ({
  catalogue,
  environment,
  folder,
  config,
  mistakes,
}: SelectOptions): Promise<readonly Pipeline[]> => {
  // A process of one plain function starts without pipelines and what reads them.
  const pipelinesFolder = path.resolve(folder, config.PIPELINES_DIR);
  // Not everybody has pipelines; who names a folder has.
  if (!environment.PIPELINES_DIR?.trim() && !existsSync(pipelinesFolder)) return [];
  const { loadDirectory } = await import('../pipeline/load-directory');
  const { pipelines, mistakes: found } = loadDirectory(pipelinesFolder, {
    functions: Object.keys(catalogue),
    environment,
  });
  for (const { file, line, column, message, severity } of found)
    if (severity === 'error')
      mistakes.push({ name: `${shorten(folder, file)}:${line}:${column}`, message });
  return pipelines;
};

/** A process of one function does not serve those that its steps call, nor those that its events start. */
const checkTargets = (
  { name, steps }: Pipeline,
  subscribers: Selection['subscribers'],
  { config }: SelectOptions,
): readonly Mistake[] => {
  if (config.FUNCTION_TARGET === undefined || config.FUNCTIONS_URL !== undefined) return [];
  const isElsewhere = steps
    .flatMap(({ target, undo }) => (undo ? [target, undo.target] : [target]))
    .some(
      (target) =>
        'function' in target ||
        ('event' in target && config.K_SINK === undefined && subscribers(target.event).length > 0),
    );
  const message = `is required: steps of ${name} call functions that this process does not serve`;
  return isElsewhere ? [{ name: 'FUNCTIONS_URL', message }] : [];
};

/** The first of the input schema's `examples`: it becomes the curl that people try. */
const exampleOf = ({ input }: Pipeline): unknown =>
  Array.isArray(input.examples) ? input.examples[0] : undefined;

/** Relative where that is shorter. */
const shorten = (folder: string, file: string): string => {
  const relative = path.relative(folder, file);
  return relative.startsWith('..') ? file : relative;
};
