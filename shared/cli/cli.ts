/** The command `faas-patterns`. Exit 0: fine; 1: the answer is no; 2: unreadable file, bad flag, bad environment. */
import { parseArgs } from 'node:util';
import type { Environment } from '../config';
import type { Catalogue } from '../suite/suite';
import { listFunctions } from './functions';
import { pipelineCheck } from './pipeline-check';

export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Environment;
  /** Where relative paths start. */
  readonly folder: string;
}

const USAGE = `Usage: faas-patterns <command>

  functions [--json]                  what there is: name, kind, routes, environment, whom it calls
  pipeline check [FILE…] [--json]     find every mistake in pipeline files (default: all of PIPELINES_DIR)
  help                                this text

Exit codes: 0 fine, 1 the answer is no, 2 a file cannot be read, or a flag or the environment is wrong.
`;

/** Resolves with the exit code. */
export const cli = async (
  args: readonly string[],
  catalogue: Catalogue,
  io: Io,
): Promise<number> => {
  const [command, ...rest] = args;
  switch (command) {
    case 'functions': {
      const flags = readFlags(rest, io);
      return flags ? listFunctions(catalogue, io, flags) : 2;
    }
    case 'pipeline':
      if (rest[0] === 'check')
        return pipelineCheck(rest.slice(1), {
          stdout: { write: io.stdout },
          stderr: { write: io.stderr },
          env: io.environment,
          cwd: io.folder,
          knownFunctions: Object.keys(catalogue),
        });
      return refuse(
        io,
        rest[0] === undefined
          ? 'pipeline needs a command: check'
          : `there is no command pipeline ${rest[0]}`,
      );
    case 'help':
    case '--help':
    case '-h':
      io.stdout(USAGE);
      return 0;
    default:
      return refuse(
        io,
        command === undefined ? 'a command is missing' : `there is no command ${command}`,
      );
  }
};

const refuse = (io: Io, message: string): number => {
  io.stderr(`faas-patterns: ${message}\n\n${USAGE}`);
  return 2;
};

const readFlags = (args: readonly string[], io: Io): { readonly json: boolean } | undefined => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false } },
    });
    return { json: values.json };
  } catch (error) {
    refuse(io, (error as Error).message);
    return undefined;
  }
};
