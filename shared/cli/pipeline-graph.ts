/** `faas-patterns pipeline graph`: a pipeline as a Mermaid flowchart, and as an SVG file. Sends nothing. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawMermaid } from '../pipeline/draw/mermaid';
import { drawSvg } from '../pipeline/draw/svg';
import { parseFlags, UsageError } from './flags';
import type { PipelineCheckIo } from './pipeline-check';
import { EXIT, onlyFile, readPipelineFile } from './pipeline-file';
import { oneLine, showJson } from './text';

export const PIPELINE_GRAPH_USAGE = `Usage: faas-patterns pipeline graph FILE [--svg OUT.svg] [--json]

Prints a pipeline as a Mermaid flowchart; with --svg also writes a drawing that stands alone.
Exit: 0 fine, 1 mistakes in the file, 2 a file that cannot be read or written or a wrong option.
`;

const FLAGS = { svg: 'text', json: 'switch', help: 'switch' } as const;

/** The exit code. With --json `{ name, mermaid, steps, svg? }`: the steps by name, each after which others. */
export const pipelineGraph = async (
  args: readonly string[],
  io: PipelineCheckIo,
): Promise<number> => {
  try {
    return draw(args, io);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    io.stderr.write(`${thrown.message}\n${PIPELINE_GRAPH_USAGE}`);
    return EXIT.unusable;
  }
};

const draw = (args: readonly string[], io: PipelineCheckIo): number => {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values.help) {
    io.stdout.write(PIPELINE_GRAPH_USAGE);
    return EXIT.fine;
  }
  const pipeline = readPipelineFile(onlyFile(positionals), io, { json: values.json });
  if (typeof pipeline === 'number') return pipeline;
  if (values.svg !== undefined && !write(path.resolve(io.cwd, values.svg), drawSvg(pipeline)))
    return unwritable(values.svg, io);
  const mermaid = drawMermaid(pipeline);
  io.stdout.write(
    values.json
      ? `${showJson({
          name: pipeline.name,
          mermaid,
          steps: pipeline.steps.map(({ name, target, after, required }) => ({
            name,
            target,
            after,
            required,
          })),
          ...(values.svg !== undefined && { svg: values.svg }),
        })}\n`
      : mermaid,
  );
  return EXIT.fine;
};

const write = (file: string, text: string): boolean => {
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    return false;
  }
};

const unwritable = (file: string, { stderr }: PipelineCheckIo): number => {
  stderr.write(`${oneLine(file)} cannot be written\n`);
  return EXIT.unusable;
};
