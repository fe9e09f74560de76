/**
 * One request on its way to its shard and back: chosen, fenced, forwarded, and sent again where that is safe.
 *
 * Fails closed: at most three servers see it, a key goes to nobody but whom the policy names, and when a shard says that
 * the table is another one, the table is read again, once. Every wait is bounded and ends when the client leaves.
 */
import { type Failure, isUnforwarded } from '../../shared/failure';
import type { Context, ForwardOptions, LiveStream } from '../../shared/handler';
import type { Key, NoKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import type { Shard } from '../../shared/shard/topology';
import { unsure } from '../../shared/shard/unsure';
import type { Outgoing } from './body';
import type { Choice, Wish } from './choice';
import { cookieFor, withCookie } from './cookie';
import { fenceOf, isMisdirected, withoutFence } from './fence';
import { Landing } from './landing';
import { candidatesOf, type Placement, placeRequest } from './missing';
import type { Parts } from './parts';
import { refusal } from './refusal';
import { mayRedirect, mayRetry, outcomeOf } from './retry';

type Go = Extract<Choice, { kind: 'go' }>;

const NONE: ReadonlySet<string> = new Set();

export class Passage implements Wish {
  tried = NONE;
  readonly since: number;
  #tries = 0;
  #isRefreshed = false;

  constructor(
    private readonly parts: Parts,
    private readonly request: Request,
    private readonly context: Context,
    private readonly found: Key | NoKey,
    private table: ShardTable,
    private placement: Placement,
    private readonly outgoing: Outgoing,
  ) {
    this.since = parts.clock.now();
  }

  get owner(): Shard | undefined {
    return this.placement.owner;
  }

  candidates(): readonly Shard[] {
    return candidatesOf(this.placement, this.table);
  }

  /** At once, where the host answers at once. Rejects with `shard_unavailable`, `table_unavailable`, or as forward does. */
  go(now = this.since, failed?: unknown): Response | Promise<Response> {
    const choice = this.parts.servers.choose(this, now);
    if (choice.kind === 'go') return this.#send(choice);
    if (choice.kind === 'wait') return this.#wait(choice.ms);
    throw refusal(choice.retryAfter, failed);
  }

  async #wait(ms: number): Promise<Response> {
    const { clock } = this.parts;
    await clock.sleep(ms, this.context.signal);
    this.tried = NONE;
    return this.go(clock.now());
  }

  #send(choice: Go): Response | Promise<Response> {
    const { context, parts } = this;
    const flight = new Landing(parts.servers.begin(choice), parts.clock);
    this.#tries += 1;
    try {
      const answer = context.forward(choice.url, this.#options(choice, flight));
      return 'then' in answer
        ? answer.then(
            (response) => this.#answered(response, flight),
            (thrown: unknown) => this.#failed(thrown, choice, flight),
          )
        : this.#answered(answer, flight);
    } catch (thrown) {
      return this.#failed(thrown, choice, flight);
    }
  }

  #options({ role }: Go, flight: Landing): ForwardOptions {
    const { body, headers } = this.outgoing;
    const { timeout, streams } = this.parts.config;
    const fence = fenceOf(this.table, role);
    const cookie = cookieFor(this.request, this.placement.key);
    const options = {
      headers: headers || cookie ? { ...headers, ...(cookie && { cookie }), ...fence } : fence,
      timeout,
      idle: streams.idle,
      onStream: (stream: LiveStream) =>
        this.parts.streams.watch(stream, this.placement, this.table),
      onEnd: flight.over,
    };
    return body === undefined ? options : { ...options, body };
  }

  #answered(response: Response, flight: Landing): Response | Promise<Response> {
    flight.answered();
    if (isMisdirected(response)) return this.#misdirected(response);
    return withCookie(withoutFence(response), this.placement.key);
  }

  /** The shard has another table: ours is asked for anew, and the request goes where that says, once. */
  async #misdirected({ body }: Response): Promise<Response> {
    const { parts, context, found, outgoing } = this;
    // What it says beside is for us alone; its connection must not wait for a reader.
    body?.cancel().catch(() => undefined);
    const isFirst = !this.#isRefreshed;
    this.#isRefreshed = true;
    if (isFirst) {
      this.table = await parts.live.refresh(context.signal);
      if (mayRedirect({ tries: this.#tries, isKept: outgoing.isKept })) {
        this.placement = placeRequest(found, parts.config.missing, this.table);
        this.tried = NONE;
        return this.go(parts.clock.now());
      }
    }
    throw unsure();
  }

  #failed(thrown: unknown, { shard, url }: Go, flight: Landing): Response | Promise<Response> {
    const { parts, request, outgoing } = this;
    const now = parts.clock.now();
    const outcome = outcomeOf(thrown);
    flight.failed(outcome);
    const facts = { tries: this.#tries, method: request.method, isKept: outgoing.isKept };
    if (outcome === 'failed')
      this.context.log.warn('shard_failed', {
        shard: shard.name,
        url,
        failure: (thrown as Failure).code,
        sent: !isUnforwarded(thrown),
      });
    if (!mayRetry(thrown, facts)) throw thrown;
    this.tried = new Set([...this.tried, url]);
    return this.go(now, thrown);
  }
}
