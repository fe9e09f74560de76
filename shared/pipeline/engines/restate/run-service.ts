/**
 * A run as a virtual object: `carry` holds it while it is under way, and everybody else reads what that one has written,
 * or sends it mail.
 *
 * Fails closed: what cannot be done now is tried again, for as long as it takes.
 */
import type { Refusal } from '../../engine';
import { refuse } from '../../machine/refuse';
import type { Target } from '../../pipeline';
import type { Progress } from '../../progress';
import { MAIL } from './carrier';
import { type CarryHandlerOptions, carryHandler, readKept } from './carry-handler';
import { decideReplay } from './replay';
import type { ObjectContext, ServiceDefinition } from './sdk';
import { SERVICE_OPTIONS, SHORT, UNKEPT } from './service-options';
import {
  type About,
  type Mail,
  type ReplayCommand,
  type Shown,
  STATE,
  summaryName,
  type Told,
} from './stored';
import { summarize } from './summary';

export interface RunServiceOptions extends CarryHandlerOptions {
  readonly isConfigured: (target: Target) => boolean;
}

const NOT_FOUND: Refusal = { code: 'not_found', detail: 'There is no such run.' };

/** The idempotency key of the passage that a run is in, by which others can wait for its end. */
export const passageOf = (id: string, { replays = [] }: Pick<Progress, 'replays'>): string =>
  `${id}.${replays.length}`;

export const runService = (options: RunServiceOptions): ServiceDefinition => {
  const { restate, names, graphOf, isConfigured, clock } = options;
  const { sdk } = restate;
  const { exclusive, shared } = sdk.handlers.object;
  const inputSerde = sdk.serde.json;

  const tell = async (
    context: ObjectContext,
    { command, at }: Pick<Mail, 'command' | 'at'>,
  ): Promise<Told> => {
    const known = await readKept(context);
    // Whoever asks knows that it was accepted: its passage has not begun yet.
    if (!known) return { again: true };
    const { progress, carrier } = known.snapshot;
    const refused = refuse(await graphOf(known.about.graph), progress, command);
    if (refused) return { refused };
    if (progress.state !== 'running') return { progress };
    const { id: reply, promise } = context.awakeable<Told>();
    context
      .invocation(carrier)
      .signal(MAIL)
      .resolve({ command, at, reply } satisfies Mail);
    const over = context.attach(carrier).map((): Told => ({ again: true }));
    return sdk.RestatePromise.race([promise, over]);
  };

  const replay = async (context: ObjectContext, command: ReplayCommand): Promise<Told> => {
    const known = await readKept(context);
    if (!known) return { refused: NOT_FOUND };
    const { about, input, snapshot } = known;
    // Somebody else has replayed it.
    if (snapshot.progress.endedAt !== command.endedAt) return { again: true };
    const decided = await context.run('decide', async () =>
      decideReplay({
        from: await graphOf(about.graph),
        to: await graphOf(command.graph ?? about.graph),
        input,
        progress: snapshot.progress,
        request: command.request,
        isConfigured,
        now: clock.now(),
      }),
    );
    if ('refused' in decided) return decided;
    const { progress, graph, retention } = decided;
    const changed: About = { ...about, graph, retention };
    context.set(STATE.run, { ...known, about: changed });
    context.set(STATE.snapshot, { ...snapshot, version: snapshot.version + 1, progress });
    context.set(summaryName(changed), summarize(changed, progress));
    context.genericSend({
      service: names.runs,
      key: about.id,
      method: 'carry',
      parameter: null,
      inputSerde,
      idempotencyKey: passageOf(about.id, progress),
    });
    return { progress };
  };

  const forget = async (context: ObjectContext, seen: { readonly endedAt: string }) => {
    const known = await readKept(context);
    // It was replayed since: then the end of that has its own time.
    if (known?.snapshot.progress.endedAt !== seen.endedAt) return;
    const { id, key } = known.about;
    if (key !== undefined)
      context.genericSend({
        service: names.keys,
        key,
        method: 'release',
        parameter: { id },
        inputSerde,
      });
    context.clearAll();
  };

  const show = async (context: ObjectContext): Promise<Shown | undefined> => {
    const known = await readKept(context);
    return known && { about: known.about, snapshot: known.snapshot };
  };

  return sdk.object({
    name: names.runs,
    options: SERVICE_OPTIONS,
    handlers: {
      carry: exclusive({ ...UNKEPT, ...SHORT, explicitCancellation: true }, carryHandler(options)),
      replay: exclusive(UNKEPT, replay),
      forget: exclusive(UNKEPT, forget),
      tell: shared(UNKEPT, tell),
      show: shared(UNKEPT, show),
      inspect: shared(UNKEPT, readKept),
    },
  });
};
