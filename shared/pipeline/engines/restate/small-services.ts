/** The small virtual objects beside the runs: idempotency keys, graphs, and targets that are gone. */
import type { Pipeline } from '../../pipeline';
import type { ObjectContext, Sdk, ServiceDefinition } from './sdk';
import { SERVICE_OPTIONS, UNKEPT } from './service-options';
import type { Claim, Claimed, Names } from './stored';

/** Instants by the names of targets, ISO 8601. */
export type GoneTargetTable = Readonly<Record<string, string>>;

const CLAIMED = 'claimed';
const PIPELINE = 'pipeline';
const GONE = 'gone';

export const smallServices = (
  { object, handlers, serde }: Sdk,
  names: Names,
): readonly ServiceDefinition[] => {
  const { exclusive, shared } = handlers.object;
  const options = SERVICE_OPTIONS;

  /** The first run takes the key, and begins with that. */
  const claim = async (context: ObjectContext, { fingerprint, run }: Claim): Promise<Claimed> => {
    const known = await context.get<Claimed>(CLAIMED);
    if (known) return known;
    const { id } = run.about;
    const claimed = { id, fingerprint };
    context.set(CLAIMED, claimed);
    context.genericSend({
      service: names.runs,
      key: id,
      method: 'carry',
      parameter: run,
      inputSerde: serde.json,
      idempotencyKey: `${id}.0`,
    });
    return claimed;
  };

  const release = async (context: ObjectContext, { id }: { readonly id: string }) => {
    if ((await context.get<Claimed>(CLAIMED))?.id === id) context.clearAll();
  };

  const put = async (context: ObjectContext, pipeline: Pipeline) => {
    if (!(await context.get(PIPELINE))) context.set(PIPELINE, pipeline);
  };

  const table = async (context: ObjectContext) => (await context.get<GoneTargetTable>(GONE)) ?? {};

  const disable = async (
    context: ObjectContext,
    { name, at }: { readonly name: string; readonly at: string },
  ) => {
    const gone = await table(context);
    if (!Object.hasOwn(gone, name)) context.set(GONE, { ...gone, [name]: at });
  };

  const enable = async (context: ObjectContext, { name }: { readonly name: string }) => {
    const { [name]: was, ...others } = await table(context);
    if (was !== undefined) context.set(GONE, others);
    return was !== undefined;
  };

  return [
    object({
      name: names.keys,
      options,
      handlers: { claim: exclusive(UNKEPT, claim), release: exclusive(UNKEPT, release) },
    }),
    object({
      name: names.graphs,
      options,
      handlers: {
        put: exclusive(UNKEPT, put),
        get: shared(UNKEPT, (context) => context.get(PIPELINE)),
      },
    }),
    object({
      name: names.targets,
      options,
      handlers: {
        disable: exclusive(UNKEPT, disable),
        enable: exclusive(UNKEPT, enable),
        all: shared(UNKEPT, table),
      },
    }),
  ];
};
