/** Graphs by their digests: kept at Restate once for all runs, and in memory for as long as the process lives. */
import type { Pipeline } from '../../pipeline';
import { unavailable } from './http';
import type { Ingress } from './ingress';
import type { GraphOf, Names } from './stored';

export interface Graphs {
  /** Resolves when it is recorded. Rejects with `engine_unavailable`. */
  keep(pipeline: Pipeline): Promise<void>;
  of: GraphOf;
}

export const createGraphs = (
  ingress: Ingress,
  { graphs: service }: Pick<Names, 'graphs'>,
): Graphs => {
  const known = new Map<string, Pipeline>();
  const kept = new Map<string, Promise<void>>();

  const put = async (pipeline: Pipeline): Promise<void> => {
    // A host that needs it before it is there looks again.
    await ingress.send({ service, key: pipeline.hash, handler: 'put', body: pipeline }, 'put');
    known.set(pipeline.hash, pipeline);
  };

  return {
    keep: (pipeline) => {
      const { hash } = pipeline;
      const putting = kept.get(hash) ?? put(pipeline);
      kept.set(hash, putting);
      // What could not be kept may be at the next run.
      putting.catch(() => kept.delete(hash));
      return putting;
    },
    of: async (hash) => {
      const here = known.get(hash);
      if (here) return here;
      const found = await ingress.call<Pipeline | null>({ service, key: hash, handler: 'get' });
      if (!found) throw unavailable(new Error(`there is no graph ${hash} yet`));
      known.set(hash, found);
      return found;
    },
  };
};
