/** Environment variables as declared data: checked with all mistakes at once. */
import { readValue } from './config/value';

/** One environment variable: a JSON Schema of its value with what a reader must know. */
export interface Setting {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  /** `duration` (`10s`) is read as ms, `list` (comma-separated) as an array. */
  readonly format?: 'duration' | 'list' | 'uri' | 'email';
  readonly description: string;
  /** As it would stand in the environment. */
  readonly default?: string | number | boolean;
  /** Where it must be set. @default nowhere */
  readonly required?: 'production' | 'always';
  /** Its value is never shown. @default false */
  readonly secret?: boolean;
  /** Its name is agreed upon with others, so it need not begin with the function's. @default false */
  readonly shared?: boolean;
  readonly example?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export type Settings = Readonly<Record<string, Setting>>;

type ValueOf<S extends Setting> = S['format'] extends 'duration'
  ? number
  : S['format'] extends 'list'
    ? readonly string[]
    : S['type'] extends 'string'
      ? string
      : S['type'] extends 'boolean'
        ? boolean
        : number;

type IsSet<S extends Setting> = S extends
  | { default: string | number | boolean }
  | { required: 'always' }
  ? true
  : false;

/** What `create` gets: each variable by its name, in its type. */
export type ConfigOf<T extends Settings> = {
  readonly [K in keyof T]: IsSet<T[K]> extends true ? ValueOf<T[K]> : ValueOf<T[K]> | undefined;
};

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Mistake {
  readonly name: string;
  readonly message: string;
}

export interface Reading<T extends Settings> {
  readonly config: ConfigOf<T>;
  readonly mistakes: readonly Mistake[];
}

/** Reads the declared variables and no others. An empty one counts as unset. Values of secrets are never in a mistake. */
export const readConfig = <T extends Settings>(
  settings: T,
  environment: Environment,
  { production }: { readonly production: boolean },
): Reading<T> => {
  const config: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    const text = environment[name]?.trim() || undefined;
    if (text === undefined && setting.default === undefined) {
      const needed =
        setting.required === 'always' || (setting.required === 'production' && production);
      if (needed)
        mistakes.push({
          name,
          message: `is required${setting.required === 'production' ? ' in production' : ''}: ${setting.description}`,
        });
      continue;
    }
    const raw = text ?? setting.default;
    const read = readValue(setting, raw);
    if ('error' in read)
      mistakes.push({
        name,
        message: `${read.error}${setting.secret ? '' : `, is ${JSON.stringify(raw)}`}`,
      });
    else config[name] = read.value;
  }
  return { config: config as ConfigOf<T>, mistakes };
};

/** One message for all mistakes, for a terminal. */
export const explainMistakes = (mistakes: readonly Mistake[]): string => {
  const width = Math.max(...mistakes.map(({ name }) => name.length));
  const lines = mistakes.map(({ name, message }) => `  ${name.padEnd(width)}  ${message}`);
  const count = mistakes.length === 1 ? 'One setting is' : `${mistakes.length} settings are`;
  return `${count} wrong or missing:\n${lines.join('\n')}`;
};
