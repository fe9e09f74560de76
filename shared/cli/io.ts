/** What a command has of the process around it: all of it comes in, so that a test can hold it. */
import { type Clock, systemClock } from '../clock';
import type { Environment } from '../config';
import { type Random, systemRandom } from '../random';

/** The size of a terminal, in characters, as it is now. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Environment;
  /** Where relative paths start. */
  readonly folder: string;
  /** What is piped in. @default nothing */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  /** Of stdout and of stderr, where they are one. @default neither is */
  readonly terminals?: {
    readonly stdout?: Terminal | undefined;
    readonly stderr?: Terminal | undefined;
  };
  /** Resolves when stdout can take more, so that a slow reader bounds what is in memory. @default at once */
  readonly drained?: () => Promise<void>;
  /** Aborts when somebody wants the command to end. @default never */
  readonly signal?: AbortSignal;
  /** @default the system's */
  readonly clock?: Clock;
  /** @default the system's */
  readonly random?: Random;
}

/** With every default filled in. */
export type FullIo = Required<Io>;

export const fullIo = (io: Io): FullIo => ({
  stdin: nothing(),
  terminals: {},
  drained: async () => undefined,
  signal: new AbortController().signal,
  clock: systemClock,
  random: systemRandom,
  ...io,
});

async function* nothing(): AsyncGenerator<Uint8Array> {}
