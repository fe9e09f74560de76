/**
 * Accepts runs.
 *
 * Fails closed: what Restate has not recorded is not accepted.
 */
import { canonicalJson } from '../../../canonical';
import type { Clock } from '../../../clock';
import { Failure } from '../../../failure';
import { type Random, randomId } from '../../../random';
import type { Engine, Started } from '../../engine';
import { begin } from '../../machine/begin';
import type { Pipeline, Target } from '../../pipeline';
import { toRun } from '../../progress';
import { digest } from '../digest';
import type { SignalGroup } from '../signal-group';
import type { Graphs } from './graphs';
import { unavailable } from './http';
import type { Ingress } from './ingress';
import type { Reader } from './reader';
import { passageOf } from './run-service';
import type { Claim, Claimed, Names, NewRun } from './stored';

export interface StartOptions {
  readonly ingress: Ingress;
  readonly names: Pick<Names, 'keys'>;
  readonly graphs: Graphs;
  readonly reader: Reader;
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  /** Takes the ids of what was accepted here not long ago. */
  readonly recent: Set<string>;
  readonly isConfigured: (target: Target) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly closing: SignalGroup;
}

export const createStart = (options: StartOptions): Engine['start'] => {
  const { ingress, names, graphs, reader, pipelines, recent } = options;
  const { isConfigured, clock, random, closing } = options;

  /** The first run with a key has it, whoever asks at the same time. */
  const claim = async (run: NewRun, key: string): Promise<Claimed | 'mismatch'> => {
    const fingerprint = digest(canonicalJson(run.input));
    const body: Claim = { fingerprint, run };
    const claimed = await ingress.call<Claimed>({
      service: names.keys,
      key,
      handler: 'claim',
      body,
    });
    return claimed.fingerprint === fingerprint ? claimed : 'mismatch';
  };

  return async (name, input, { idempotencyKey, traceparent }): Promise<Started> => {
    const pipeline = pipelines.get(name);
    if (!pipeline) throw new TypeError(`there is no pipeline ${name}`);
    if (closing.aborted) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
    await graphs.keep(pipeline);
    const now = clock.now();
    const id = randomId(random);
    const createdAt = new Date(now).toISOString();
    const progress = begin(pipeline, { input, isConfigured, now });
    const key = idempotencyKey === undefined ? undefined : digest(`${name} ${idempotencyKey}`);
    const { hash: graph, retention } = pipeline;
    const about = { id, pipeline: name, graph, traceparent, createdAt, retention };
    const begun = { about: { ...about, ...(key !== undefined && { key }) }, input, progress };
    const claimed = key === undefined ? undefined : await claim(begun, key);
    if (claimed === 'mismatch') return claimed;
    const first = claimed?.id ?? id;
    if (first === id) {
      // Who has the key begins it as well, but may be heard where the run is after whoever asks for it there; a node that
      // is killed just then makes that a second.
      await ingress.carry(id, passageOf(id, {}), begun);
      remember(recent, id);
      return { run: toRun({ ...about, pipeline, input }, progress), created: true };
    }
    const run = await reader.find(name, first);
    // Its time was over between the two questions.
    if (!run) throw unavailable(new Error(`the run ${first} is being forgotten`));
    return { run, created: false };
  };
};

const MAX_RECENT = 1_000;

/** The one that was added first is forgotten first. */
const remember = (ids: Set<string>, id: string): void => {
  ids.add(id);
  for (const first of ids) {
    if (ids.size <= MAX_RECENT) return;
    ids.delete(first);
  }
};
