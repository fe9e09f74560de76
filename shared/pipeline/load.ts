/** From the text of a pipeline file to a pipeline, or to all that is wrong with it. Reads nothing itself. */
import type { CheckOptions } from './check';
import { checkDocument } from './check';
import { readYaml, type YamlDocument } from './document';
import { fill } from './fill';
import { type Finding, quote } from './finding';
import { readInputSchema } from './input-schema';
import type { Pipeline, PipelineMistake } from './pipeline';
import { sketch } from './sketch';

export interface LoadPipelineOptions extends CheckOptions {
  /** As mistakes shall name it; its base name without .yaml or .yml is the name of the pipeline. */
  readonly file: string;
  readonly text: string;
  /** The text of a file, by its name relative to the folder of this one; `undefined` when there is none. */
  readonly resolve: (name: string) => string | undefined;
}

export interface LoadedPipeline {
  /** Absent when there are errors. */
  readonly pipeline?: Pipeline;
  /** In the order of the text; those of the input schema, a file of its own, last. */
  readonly mistakes: readonly PipelineMistake[];
  readonly locate: YamlDocument['locate'];
}

export const loadPipeline = (options: LoadPipelineOptions): LoadedPipeline => {
  const { file, text, resolve } = options;
  const { value, mistakes: syntax, locate } = readYaml(text);
  const mistakes: PipelineMistake[] = syntax.map((mistake) => ({
    ...mistake,
    file,
    severity: 'error',
  }));
  if (value === undefined) return { mistakes, locate };

  const { input } = sketch(value);
  const source = input === undefined || !isFileName(input) ? undefined : resolve(input);
  const { schema, mistakes: inSchema } =
    source === undefined ? { mistakes: [] } : readInputSchema(source);
  const findings: Finding[] = [
    ...checkDocument(value, { ...options, name: baseName(file), schema }),
  ];
  if (input !== undefined && isFileName(input) && source === undefined)
    findings.push({
      pointer: '/input',
      code: 'missing_input_schema',
      message: `there is no file ${quote(input)} in the folder of this one`,
    });
  for (const { pointer, part, code, message, severity = 'error' } of findings)
    mistakes.push({ file, ...locate(pointer, part), code, message, severity });
  mistakes.sort((a, b) => a.line - b.line || a.column - b.column);
  for (const mistake of inSchema)
    mistakes.push({ file: beside(file, input as string), ...mistake, severity: 'error' });
  const isUsable = schema !== undefined && mistakes.every(({ severity }) => severity !== 'error');
  return { ...(isUsable && { pipeline: fill(value, schema) }), mistakes, locate };
};

/** Inside the folder of the pipeline: what comes from a file must not reach further. */
const isFileName = (name: string): boolean => /^(?!.*\.\.)[\w-][\w./-]*\.json$/.test(name);

/** Both separators: this is about names, wherever they were written. */
export const baseName = (file: string): string =>
  file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');

const beside = (file: string, name: string): string => `${/^.*[\\/]/.exec(file)?.[0] ?? ''}${name}`;
