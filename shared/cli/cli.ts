/** The command `faas-patterns`. Exit 0: fine; 1: the answer is no; 2: unreadable file, bad flag, bad environment. */
import { didYouMean } from '../nearest';
import type { Catalogue } from '../suite/suite';
import type { Command } from './command';
import { parseFlags, UsageError } from './flags';
import { listFunctions } from './functions';
import type { Io } from './io';
import { type PipelineCheckIo, pipelineCheck } from './pipeline-check';
import { pipelineDeadLetters, pipelineRuns, pipelineTargets } from './pipeline-lists';
import { pipelineCancel, pipelineSignal } from './pipeline-orders';
import { pipelineReplay } from './pipeline-replay';
import { pipelineRun } from './pipeline-run';
import { pipelineShow } from './pipeline-show';
import { oneLine } from './text';

export type { Io } from './io';

const USAGE = `Usage: faas-patterns <command>

Offline:
  functions [--json]                    what there is: name, kind, routes, environment, whom it calls
  pipeline check [FILE…]                find every mistake in pipeline files (default: all of PIPELINES_DIR)
  pipeline graph FILE                   a pipeline as a Mermaid flowchart, and as an SVG file
  pipeline export FILE --to FORMAT      a pipeline for another engine
  pipeline run NAME|FILE --dry-run      show every call that a run would make, and send nothing
  shard place --config FILE < KEYS      which shard owns each key, as nginx, twemproxy, Envoy or HAProxy would say
  shard explain --config FILE [KEY]     why: the bytes, the hash, the point, who comes next
  shard diff FILE FILE                  which keys move from one topology to another, and how evenly they lie

Of a server (--url or FAAS_URL, default http://localhost:8080; --token or FAAS_TOKEN):
  pipeline run NAME --data JSON         start a run; --wait follows it, --each starts one for each line
  pipeline runs NAME                    list runs: --state, --since, --until
  pipeline show NAME RUN                how a run stands; --record: also its input and its graph
  pipeline cancel NAME RUN              call a run off
  pipeline signal NAME RUN STEP         answer a step that waits
  pipeline replay NAME RUN              run again what failed; --all: of every run with a dead letter
  pipeline dead-letters NAME            list steps that have failed for good
  pipeline targets NAME                 list targets that are gone; --enable lets one be called again

  help                                  this text; each command has --help of its own

All take --json. Exit codes: 0 fine, 1 the answer is no, 2 a file cannot be read, a server cannot be asked, or a flag
or the environment is wrong.
`;

/** Resolves with the exit code. */
export const cli = async (
  args: readonly string[],
  catalogue: Catalogue,
  io: Io,
): Promise<number> => {
  const [name, ...rest] = args;
  const commands: Readonly<Record<string, Command>> = {
    functions: functions(catalogue),
    pipeline: pipeline(Object.keys(catalogue)),
    shard,
    help: async () => {
      io.stdout(USAGE);
      return 0;
    },
  };
  const known = name === '--help' || name === '-h' ? 'help' : name;
  return pick(commands, known, 'command', io)(rest, io);
};

const pipeline =
  (knownFunctions: readonly string[]): Command =>
  (args, io) => {
    const offline =
      (
        load: () => Promise<(args: readonly string[], io: PipelineCheckIo) => Promise<number>>,
      ): Command =>
      async (rest, { stdout, stderr, environment, folder }) =>
        (await load())(rest, {
          stdout: { write: stdout },
          stderr: { write: stderr },
          env: environment,
          cwd: folder,
          knownFunctions,
        });
    const commands: Readonly<Record<string, Command>> = {
      check: offline(async () => pipelineCheck),
      graph: offline(async () => (await import('./pipeline-graph')).pipelineGraph),
      export: offline(async () => (await import('./pipeline-export')).pipelineExport),
      run: pipelineRun(knownFunctions),
      runs: pipelineRuns,
      show: pipelineShow,
      cancel: pipelineCancel,
      signal: pipelineSignal,
      replay: pipelineReplay,
      'dead-letters': pipelineDeadLetters,
      targets: pipelineTargets,
      '--help': async () => {
        io.stdout(USAGE);
        return 0;
      },
    };
    return pick(commands, args[0], 'command pipeline', io)(args.slice(1), io);
  };

const shard: Command = (args, io) => {
  const commands: Readonly<Record<string, Command>> = {
    place: async (rest) => (await import('./shard-place')).shardPlace(rest, io),
    explain: async (rest) => (await import('./shard-explain')).shardExplain(rest, io),
    diff: async (rest) => (await import('./shard-diff')).shardDiff(rest, io),
    '--help': async () => {
      io.stdout(USAGE);
      return 0;
    },
  };
  return pick(commands, args[0], 'command shard', io)(args.slice(1), io);
};

/** One of them, or one that says why there is none. */
const pick = (
  commands: Readonly<Record<string, Command>>,
  name: string | undefined,
  what: string,
  io: Io,
): Command => {
  if (name !== undefined && Object.hasOwn(commands, name)) return commands[name] as Command;
  const known = Object.keys(commands).filter((one) => !one.startsWith('-'));
  return async () =>
    refuse(
      io,
      name === undefined
        ? `a ${what} is missing: ${known.join(', ')}`
        : `there is no ${what} ${oneLine(name)}${didYouMean(name, known)}`,
    );
};

const functions =
  (catalogue: Catalogue): Command =>
  async (args, io) => {
    try {
      const { values } = parseFlags(args, { json: 'switch' });
      return await listFunctions(catalogue, io, { json: values.json === true });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return refuse(io, error.message);
    }
  };

const refuse = (io: Io, message: string): number => {
  io.stderr(`faas-patterns: ${message}\n\n${USAGE}`);
  return 2;
};
