/** Which functions a process serves: all of the catalogue and of the pipelines, or the one that FUNCTION_TARGET names. */
import path from 'node:path';
import type { Environment, Mistake } from '../config';
import type { AnyFunction } from '../define';
import { pipelineFunction } from '../pipeline/function';
import { loadDirectory } from '../pipeline/load-directory';
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

export const selectFunctions = async (options: SelectOptions): Promise<readonly AnyFunction[]> => {
  const { catalogue, config, mistakes } = options;
  const target = config.FUNCTION_TARGET;
  if (target !== undefined && Object.hasOwn(catalogue, target))
    return [await load(catalogue, target)];
  const pipelines = loadPipelines(options);
  const served = target === undefined ? pipelines : pipelines.filter(({ name }) => name === target);
  for (const pipeline of served) mistakes.push(...checkTargets(pipeline, options));
  const functions = served.map((pipeline) => pipelineFunction(pipeline));
  if (target === undefined)
    return [
      ...(await Promise.all(Object.keys(catalogue).map((name) => load(catalogue, name)))),
      ...functions,
    ];
  if (functions.length === 0 && mistakes.length === 0) {
    const names = [...Object.keys(catalogue), ...pipelines.map(({ name }) => name)];
    mistakes.push({
      name: 'FUNCTION_TARGET',
      message: `there is no function ${JSON.stringify(target)}; there are ${names.join(', ')}`,
    });
  }
  return functions;
};

const load = async (catalogue: Catalogue, name: string): Promise<AnyFunction> => {
  const module = await catalogue[name]?.();
  return module?.default as AnyFunction;
};

const loadPipelines = ({
  catalogue,
  environment,
  folder,
  config,
  mistakes,
}: SelectOptions): readonly Pipeline[] => {
  const { pipelines, mistakes: found } = loadDirectory(path.resolve(folder, config.PIPELINES_DIR), {
    functions: Object.keys(catalogue),
    environment,
  });
  for (const { file, line, column, message, severity } of found)
    if (severity === 'error')
      mistakes.push({ name: `${path.relative(folder, file)}:${line}:${column}`, message });
  return pipelines;
};

/** A step must know where to go, and how to sign what leaves the suite. */
const checkTargets = (
  { name, steps }: Pipeline,
  { config, environment }: SelectOptions,
): readonly Mistake[] => {
  const found: Mistake[] = [];
  const needsUrl = steps.some(({ target }) => 'function' in target);
  if (needsUrl && config.FUNCTION_TARGET !== undefined && config.FUNCTIONS_URL === undefined)
    found.push({
      name: 'FUNCTIONS_URL',
      message: `is required: steps of ${name} call functions that this process does not serve`,
    });
  for (const { name: step, target } of steps)
    if ('webhook' in target && environment[target.webhook] && !environment[target.secret])
      found.push({
        name: target.secret,
        message: `is required: the step ${step} of ${name} signs its calls with it`,
      });
  return found;
};
