/** The frame of a command: its flags, its help, and what becomes of whatever goes wrong. */
import { ApiError, type Client, createClient } from './client';
import { type Arguments, type Flags, parseFlags, UnusableInput, UsageError } from './flags';
import { type FullIo, fullIo, type Io } from './io';
import { explainError } from './problem';

/** Resolves with the exit code: 0 fine, 1 the answer is no, 2 it could not be asked. */
export type Command = (args: readonly string[], io: Io) => Promise<number>;

export interface CommandOptions<F extends Flags> {
  /** Behind `faas-patterns`. */
  readonly name: string;
  readonly usage: string;
  readonly flags: F;
  /** What each positional is; a `?` behind the last ones says that they may be left out. */
  readonly positionals: readonly string[];
}

export interface Call<F extends Flags> extends Arguments<F & typeof COMMON> {
  readonly io: FullIo;
  /** As `--url` and `--token`, or the environment, say. Throws a UsageError when they cannot be used. */
  readonly connect: () => Client;
}

const COMMON = { json: 'switch', help: 'switch', url: 'text', token: 'text' } as const;

export const command =
  <const F extends Flags>(
    { name, usage, flags, positionals: names }: CommandOptions<F>,
    work: (call: Call<F>) => Promise<number>,
  ): Command =>
  async (args, given) => {
    const io = fullIo(given);
    let json = false;
    try {
      const parsed = parseFlags(args, { ...flags, ...COMMON });
      const common = parsed.values as Arguments<typeof COMMON>['values'];
      json = common.json === true;
      if (common.help) {
        io.stdout(usage);
        return 0;
      }
      checkPositionals(parsed.positionals, names);
      const connect = () => createClient({ url: common.url, token: common.token, io });
      return await work({ ...parsed, io, connect } as Call<F>);
    } catch (error) {
      if (error instanceof UsageError) {
        const help = error instanceof UnusableInput ? '' : `\n${usage}`;
        io.stderr(`faas-patterns ${name}: ${error.message}\n${help}`);
        return 2;
      }
      if (!(error instanceof ApiError)) throw error;
      if (json) io.stdout(`${JSON.stringify({ error: error.problem })}\n`);
      else io.stderr(`faas-patterns ${name}: ${explainError(error)}`);
      return error.exitCode;
    }
  };

const checkPositionals = (given: readonly string[], names: readonly string[]): void => {
  const missing = names.slice(given.length).find((name) => !name.endsWith('?'));
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  if (given.length > names.length)
    throw new UsageError(`there is one argument too many: ${JSON.stringify(given[names.length])}`);
};
