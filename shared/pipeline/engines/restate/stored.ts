/** What Restate holds of runs, and under which names. Each is a virtual object: one key, one writer at a time. */
import type { Refusal } from '../../engine';
import type { Command } from '../../machine/refuse';
import type { ReplayRequest } from '../../machine/replay';
import type { Pipeline } from '../../pipeline';
import type { Progress, RunRecord } from '../../progress';
import type { RunSummary, StepError } from '../../run';

/** The names of the virtual objects. */
export interface Names {
  /** Key: the run's id. The shape of the journal of `carry` belongs to the name: who changes it, gives another one. */
  readonly runs: string;
  /** Key: the digest of a pipeline's name and an idempotency key. */
  readonly keys: string;
  /** Key: the digest of a graph. */
  readonly graphs: string;
  /** Key: `gone`. */
  readonly targets: string;
}

/** Hosts of different functions, each with an environment of its own, must not take each other's runs. */
export const namesIn = (scope: string | undefined): Names => {
  const behind = scope === undefined ? '' : `.${scope}`;
  return {
    runs: `faas-runs${behind}`,
    keys: `faas-keys${behind}`,
    graphs: `faas-graphs${behind}`,
    targets: `faas-targets${behind}`,
  };
};

/** The names of a run's state. Each costs an entry of the journal to write, so the first are one. */
export const STATE = {
  /** `Kept`: as it began. */
  run: 'run',
  /** `Snapshot`, from the first change on. */
  snapshot: 'snapshot',
} as const;

/** The name of its `Summary`, in the order of lists: a question looks at names, and into what is on its page only. */
export const summaryName = ({
  createdAt,
  pipeline,
}: Pick<About, 'createdAt' | 'pipeline'>): string => `${SUMMARY}${createdAt}/${pipeline}`;

export const SUMMARY = 'summary/';

/** A run without its input, and with the graph by its digest. */
export interface About extends Omit<RunRecord, 'pipeline' | 'input'> {
  readonly pipeline: string;
  readonly graph: string;
  /** How long it is kept after its end, ms. */
  readonly retention: number;
  /** Key among the idempotency keys. @default it has none */
  readonly key?: string;
}

/** A run as far as it has come. */
export interface Snapshot {
  /** Grows with every change. */
  readonly version: number;
  /** The invocation that carries it through, or has. */
  readonly carrier: string;
  readonly progress: Progress;
}

/** What is listed, in small. Its text begins with the state. */
export interface Summary extends Omit<RunSummary, 'id'> {
  /** @default none */
  readonly dead?: readonly {
    readonly step: string;
    readonly attempts: number;
    readonly failedAt: string;
    readonly code: string;
    readonly error?: StepError;
  }[];
}

/** For `carry`: a run to begin. To go on with one that is there, nothing. */
export interface NewRun {
  readonly about: About;
  readonly input: unknown;
  readonly progress: Progress;
}

export interface Claim {
  /** Digest of the input. */
  readonly fingerprint: string;
  readonly run: NewRun;
}

/** `id`: the run that has the key; the claimed one, when nobody had it. */
export interface Claimed {
  readonly id: string;
  readonly fingerprint: string;
}

/** A command with its way back. */
export interface Mail {
  readonly command: Command;
  /** When it was given, ms since the epoch. */
  readonly at: number;
  /** The awakeable that takes the answer. */
  readonly reply: string;
}

/** A run as a reader needs it. */
export interface Shown {
  readonly about: About;
  readonly snapshot: Snapshot;
}

/** A run with all that is kept of it. */
export interface Kept extends Shown {
  readonly input: unknown;
}

/** `again`: it ended under way; ask once more. */
export type Told =
  | { readonly progress: Progress }
  | { readonly refused: Refusal }
  | { readonly again: true };

export interface ReplayCommand {
  readonly request: ReplayRequest;
  /** The end that was seen: after another one, something else is being replayed. */
  readonly endedAt: string;
  /** The graph to go over to, by its digest. @default the graph of the run */
  readonly graph?: string;
}

/** The pipeline behind a digest. */
export type GraphOf = (hash: string) => Promise<Pipeline>;
