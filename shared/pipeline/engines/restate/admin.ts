/** Restate's admin interface: makes this host known, lists runs, and takes up what has been left. */
import { type JsonClient, unavailable } from './http';

export interface Endpoint {
  /** Where Restate reaches our handlers. */
  readonly uri: string;
  /** Whether it speaks HTTP/1.1, request by request; else HTTP/2 in the clear, in both directions at once. */
  readonly plain: boolean;
}

export interface Admin {
  /** Gives the id of the deployment. Rejects with `engine_unavailable`. */
  register(endpoint: Endpoint): Promise<string>;
  query<Row>(sql: string): Promise<readonly Row[]>;
  /** Lets an invocation that is parked, or is to be tried again, go on now. @default where it was */
  resume(invocation: string, where?: 'latest'): Promise<void>;
  /** Parks an invocation that is to be tried again. */
  pause(invocation: string): Promise<void>;
  close(): void;
}

/** Finding out what an endpoint serves, or looking through all runs, ms. */
const LONG_TIMEOUT = 30_000;

export const createAdmin = (client: JsonClient): Admin => {
  const send = async (method: 'POST' | 'PATCH', path: string, body?: unknown): Promise<unknown> => {
    const answer = await client.send({ method, path, body, timeout: LONG_TIMEOUT });
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw unavailable(
      new Error(`restate answered ${answer.status}: ${JSON.stringify(answer.body)?.slice(0, 500)}`),
    );
  };
  return {
    register: async ({ uri, plain }) => {
      // Without force, what the same address served before would stay.
      const body = { uri, force: true, ...(plain && { use_http_11: true }) };
      return ((await send('POST', '/deployments', body)) as { readonly id: string }).id;
    },
    query: async <Row>(query: string) =>
      ((await send('POST', '/query', { query })) as { readonly rows: readonly Row[] }).rows,
    resume: async (invocation, where) => {
      const wish = where ? `?deployment=${where}` : '';
      await send('PATCH', `/invocations/${invocation}/resume${wish}`);
    },
    pause: async (invocation) => void (await send('PATCH', `/invocations/${invocation}/pause`)),
    close: () => client.close(),
  };
};
