/** Which functions a process serves: all of the catalogue and of the pipelines, or the one that FUNCTION_TARGET names. */
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

export const selectFunctions = async (options: SelectOptions): Promise<readonly AnyFunction[]> => {
  const { catalogue, config, mistakes } = options;
  const target = config.FUNCTION_TARGET;
  if (target !== undefined && Object.hasOwn(catalogue, target))
    return [await load(catalogue, target)];
  const pipelines = await loadPipelines(options);
  const served = target === undefined ? pipelines : pipelines.filter(({ name }) => name === target);
  for (const pipeline of served) mistakes.push(...checkTargets(pipeline, options));
  const { pipelineFunction } = await import('../pipeline/function');
  const functions = served.map((pipeline) =>
    pipelineFunction(pipeline, { example: exampleOf(pipeline) }),
  );
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

const loadPipelines = async ({
  catalogue,
  environment,
  folder,
  config,
  mistakes,
}: SelectOptions): Promise<readonly Pipeline[]> => {
  // A process of one plain function starts without pipelines and what reads them.
  const { loadDirectory } = await import('../pipeline/load-directory');
  const { pipelines, mistakes: found } = loadDirectory(path.resolve(folder, config.PIPELINES_DIR), {
    functions: Object.keys(catalogue),
    environment,
  });
  for (const { file, line, column, message, severity } of found)
    if (severity === 'error')
      mistakes.push({ name: `${shorten(folder, file)}:${line}:${column}`, message });
  return pipelines;
};

/** A process of one function does not serve those that its steps call. */
const checkTargets = ({ name, steps }: Pipeline, { config }: SelectOptions): readonly Mistake[] => {
  const callsFunctions = steps.some(({ target }) => 'function' in target);
  if (!callsFunctions || config.FUNCTION_TARGET === undefined || config.FUNCTIONS_URL !== undefined)
    return [];
  const message = `is required: steps of ${name} call functions that this process does not serve`;
  return [{ name: 'FUNCTIONS_URL', message }];
};

/** The first of the input schema's `examples`: it becomes the curl that people try. */
const exampleOf = ({ input }: Pipeline): unknown =>
  Array.isArray(input.examples) ? input.examples[0] : undefined;

/** Relative where that is shorter. */
const shorten = (folder: string, file: string): string => {
  const relative = path.relative(folder, file);
  return relative.startsWith('..') ? file : relative;
};
