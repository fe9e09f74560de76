/**
 * Flags of a command. Not node's parseArgs: the id of a run may begin with a dash, and a flag such as `--wait[=60s]`
 * has a value only behind `=`. Fails closed: what is not known is refused, never passed over.
 */
import { didYouMean } from '../nearest';
import { oneLine } from './text';

/**
 * `switch`: `--json`. `text`: `--data X` or `--data=X`. `list`: the same, as often as one likes. `optional`: `--wait` (the
 * empty text) or `--wait=60s`.
 */
export type FlagKind = 'switch' | 'text' | 'list' | 'optional';
export type Flags = Readonly<Record<string, FlagKind>>;

/** By the names of the flags; those that were not given are absent. */
export type FlagValues<F extends Flags> = {
  readonly [N in keyof F]?: F[N] extends 'switch'
    ? true
    : F[N] extends 'list'
      ? readonly string[]
      : string;
};

export interface Arguments<F extends Flags> {
  readonly values: FlagValues<F>;
  readonly positionals: readonly string[];
}

/** What somebody typed cannot be done; the message is one line. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was named to be read cannot be used: no matter of flags, so no usage is shown. */
export class UnusableInput extends UsageError {}

/** 128 random bits in base64url, of which 1 in 64 begins with a dash. No flag is that long. */
const RUN_ID = /^-[\w-]{21}$/;

/** Throws a UsageError for an unknown flag, one given twice, a value too many or too few. */
export const parseFlags = <const F extends Flags>(
  args: readonly string[],
  flags: F,
): Arguments<F> => {
  const values: Record<string, string | true | string[]> = {};
  const positionals: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] as string;
    if (arg === '--') {
      positionals.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-' || RUN_ID.test(arg)) {
      positionals.push(arg);
      continue;
    }
    const [, written = arg, given] = /^([^=]*)=(.*)$/s.exec(arg) ?? [];
    const name = written === '-h' ? 'help' : written.replace(/^--/, '');
    const kind = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (kind === undefined) throw unknown(written, flags);
    if (Object.hasOwn(values, name) && kind !== 'list')
      throw new UsageError(`--${name} is given twice`);
    if (kind === 'switch') {
      if (given !== undefined) throw new UsageError(`--${name} takes no value`);
      values[name] = true;
    } else if (kind === 'optional') values[name] = given ?? '';
    else {
      const value = given ?? nextValue(name, args[i + 1]);
      if (given === undefined) i += 1;
      if (kind === 'text') values[name] = value;
      else values[name] = [...((values[name] as string[] | undefined) ?? []), value];
    }
  }
  return { values: values as FlagValues<F>, positionals };
};

/** What looks like the next flag was not meant as a value. */
const nextValue = (name: string, next: string | undefined): string => {
  if (next === undefined) throw new UsageError(`--${name} needs a value`);
  if (next.startsWith('--') && !RUN_ID.test(next))
    throw new UsageError(
      `--${name} needs a value; one that begins with a dash is written --${name}=${oneLine(next)}`,
    );
  return next;
};

const unknown = (written: string, flags: Flags): UsageError =>
  new UsageError(
    `there is no option ${oneLine(written)}${didYouMean(
      written,
      Object.keys(flags).map((name) => `--${name}`),
    )}`,
  );
