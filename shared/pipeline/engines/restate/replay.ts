/** A replay as the engine records it: how the run stands out, and on which graph. Pure. */
import type { Refusal } from '../../engine';
import { type ReplayRequest, regraph, replay } from '../../machine/replay';
import type { Pipeline, Target } from '../../pipeline';
import type { Progress } from '../../progress';

export interface DecideReplayOptions {
  /** The graph that the run is on. */
  readonly from: Pipeline;
  /** The one that it is to go on with; may be the same. */
  readonly to: Pipeline;
  readonly input: unknown;
  readonly progress: Progress;
  readonly request: ReplayRequest;
  readonly isConfigured: (target: Target) => boolean;
  /** ms since the epoch */
  readonly now: number;
}

export type DecidedReplay =
  | { readonly refused: Refusal }
  | { readonly progress: Progress; readonly graph: string; readonly retention: number };

export const decideReplay = (options: DecideReplayOptions): DecidedReplay => {
  const { from, to, input, progress, request, isConfigured, now } = options;
  const base =
    from.hash === to.hash ? progress : regraph(from, to, progress, { input, isConfigured });
  if ('code' in base) return { refused: base };
  const again = replay(to, base, request, { now });
  if ('code' in again) return { refused: again };
  return { progress: again, graph: to.hash, retention: to.retention };
};
