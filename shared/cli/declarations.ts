/** Every function of the catalogue and of the pipelines, for what is written from their declarations. */
import path from 'node:path';
import type { AnyFunction } from '../define';
import { pipelineFunction } from '../pipeline/function';
import { loadDirectory } from '../pipeline/load-directory';
import type { Pipeline } from '../pipeline/pipeline';
import type { Catalogue } from '../suite/suite';

export interface Declarations {
  /** Those of the catalogue first, then the pipelines. */
  readonly functions: readonly AnyFunction[];
  readonly pipelines: readonly Pipeline[];
}

export interface ReadDeclarationsOptions {
  /** Told of each mistake in a pipeline, with its place; the pipeline is left out then. @default throws it */
  readonly onMistake?: (mistake: string) => void;
}

const refuse = (mistake: string): never => {
  throw new Error(mistake);
};

/**
 * Without an environment: a page must not depend on who writes it, and a required webhook has no URL here.
 * Rejects with an Error that names the place when a pipeline has a mistake.
 */
export const readDeclarations = async (
  catalogue: Catalogue,
  folder: string,
  { onMistake = refuse }: ReadDeclarationsOptions = {},
): Promise<Declarations> => {
  const modules = await Promise.all(Object.values(catalogue).map((load) => load()));
  const { pipelines, mistakes } = loadDirectory(path.join(folder, 'pipelines'), {
    functions: Object.keys(catalogue),
  });
  for (const { file, line, column, message, severity } of mistakes)
    if (severity === 'error')
      onMistake(`${path.relative(folder, file)}:${line}:${column} ${message}`);
  const functions = [
    ...modules.map((module) => module.default),
    ...pipelines.map((pipeline) => {
      const { examples } = pipeline.input;
      return pipelineFunction(pipeline, {
        example: Array.isArray(examples) ? examples[0] : undefined,
      });
    }),
  ];
  return { functions, pipelines };
};
