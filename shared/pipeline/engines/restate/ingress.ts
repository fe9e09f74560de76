/** Calls to our virtual objects, from outside: each is an invocation of its own. */
import type { Failure } from '../../../failure';
import { type JsonAnswer, type JsonClient, type JsonRequest, unavailable } from './http';
import type { Names, NewRun } from './stored';

export interface Call {
  readonly service: string;
  readonly key: string;
  readonly handler: string;
  readonly body?: unknown;
}

export interface Ingress {
  /** Waits for the handler's answer. Rejects with `engine_unavailable` when there is none. */
  call<T>(call: Call, options?: Pick<JsonRequest, 'timeout' | 'again'>): Promise<T>;
  /** Resolves as soon as it is recorded that the handler is to be called. The same idempotency key counts once. */
  send(call: Call, idempotencyKey: string): Promise<void>;
  /** The same, for a run that is to be carried through. */
  carry(id: string, passage: string, run: NewRun | null): Promise<void>;
  /** How a passage stands; what has ended is known for a while only. */
  passage(id: string, passage: string): Promise<'unknown' | 'underway' | 'ended'>;
  /** Resolves when the passage has ended, or is not known; rejects with `aborted`. */
  ended(id: string, passage: string, signal: AbortSignal): Promise<void>;
  /** Whether it takes calls. */
  isHealthy(): Promise<boolean>;
  close(): void;
}

/** How long one request waits for the end of a run, ms. */
const ATTACH_TIMEOUT = 60_000;
/** The passage is under way: nothing to be had yet. */
const NOT_READY = 470;

export const createIngress = (client: JsonClient, { runs }: Pick<Names, 'runs'>): Ingress => {
  const passagePath = (id: string, passage: string) =>
    `/restate/invocation/${runs}/${encodeURIComponent(id)}/carry/${encodeURIComponent(passage)}`;

  const send: Ingress['send'] = async ({ service, key, handler, body }, idempotencyKey) => {
    const answer = await client.send({
      method: 'POST',
      path: `/${service}/${encodeURIComponent(key)}/${handler}/send`,
      body,
      headers: { 'idempotency-key': idempotencyKey },
    });
    if (answer.status !== 202 && answer.status !== 200) throw refused(answer);
  };

  return {
    call: async <T>({ service, key, handler, body }: Call, options = {}) => {
      const path = `/${service}/${encodeURIComponent(key)}/${handler}`;
      const answer = await client.send({ method: 'POST', path, body, ...options });
      if (answer.status !== 200) throw refused(answer);
      return answer.body as T;
    },
    send,
    carry: (id, passage, run) =>
      send({ service: runs, key: id, handler: 'carry', body: run }, passage),
    passage: async (id, passage) => {
      const answer = await client.send({
        method: 'GET',
        path: `${passagePath(id, passage)}/output`,
      });
      if (answer.status === NOT_READY) return 'underway';
      if (answer.status === 404) return 'unknown';
      if (answer.status === 200) return 'ended';
      throw refused(answer);
    },
    ended: async (id, passage, signal) => {
      await client.send({
        method: 'GET',
        path: `${passagePath(id, passage)}/attach`,
        signal,
        timeout: ATTACH_TIMEOUT,
        again: false,
      });
    },
    isHealthy: async () => {
      try {
        const { status } = await client.send({
          method: 'GET',
          path: '/restate/health',
          again: false,
        });
        return status === 200;
      } catch {
        return false;
      }
    },
    close: () => client.close(),
  };
};

const refused = ({ status, body }: JsonAnswer): Failure =>
  unavailable(new Error(`restate answered ${status}: ${JSON.stringify(body)?.slice(0, 500)}`));
