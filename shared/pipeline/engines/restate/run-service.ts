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
import { type CarryHandlerOptions, carryHandler, readAbout } from './carry-handler';
import { decideReplay } from './replay';
import type { ObjectContext, ServiceDefinition } from './sdk';
import { SERVICE_OPTIONS, SHORT, UNKEPT } from './service-options';
import {
  type About,
  type Mail,
  type ReplayCommand,
  type Snapshot,
  STATE,
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
    const snapshot = await context.get<Snapshot>(STATE.snapshot);
    // Whoever asks knows that it was accepted: its passage has not begun yet.
    if (!snapshot) return { again: true };
    const { progress, carrier } = snapshot;
    const refused = refuse(await graphOf((await readAbout(context)).graph), progress, command);
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
    const snapshot = await context.get<Snapshot>(STATE.snapshot);
    if (!snapshot) return { refused: NOT_FOUND };
    // Somebody else has replayed it.
    if (snapshot.progress.endedAt !== command.endedAt) return { again: true };
    const about = await readAbout(context);
    const input = await context.get(STATE.input);
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
    context.set(STATE.about, changed);
    context.set(STATE.snapshot, { ...snapshot, version: snapshot.version + 1, progress });
    context.set(STATE.summary, summarize(changed, progress));
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
    const snapshot = await context.get<Snapshot>(STATE.snapshot);
    // It was replayed since: then the end of that has its own time.
    if (snapshot?.progress.endedAt !== seen.endedAt) return;
    const { id, key } = await readAbout(context);
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

  const show = async (context: ObjectContext) => {
    const snapshot = await context.get<Snapshot>(STATE.snapshot);
    return snapshot && { about: await readAbout(context), snapshot };
  };

  const inspect = async (context: ObjectContext) => {
    const shown = await show(context);
    return shown && { ...shown, input: await context.get(STATE.input) };
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
      inspect: shared(UNKEPT, inspect),
    },
  });
};
