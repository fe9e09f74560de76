/** Lists of the server, a page after the other. */
import type { Client } from './client';

export interface ListOptions {
  /** Below the name of the pipeline. */
  readonly path: string;
  /** The member of the answer that holds the items. */
  readonly member: string;
  /** @default none */
  readonly filters?: Readonly<Record<string, string | undefined>>;
  /** How many at most. @default all */
  readonly limit?: number | undefined;
  /** No page is asked for after it aborts. @default never */
  readonly signal?: AbortSignal;
}

/** What the server gives at once, at most. */
const PAGE = 500;

/** Pages of items; the last one says whether there are more than `limit`. Rejects with an ApiError. */
export async function* pages<T>(
  client: Client,
  pipeline: string,
  { path, member, filters = {}, limit = Number.POSITIVE_INFINITY, signal }: ListOptions,
): AsyncGenerator<{ readonly items: readonly T[]; readonly more: boolean }> {
  let left = limit;
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, left)) });
    for (const [name, value] of Object.entries({ ...filters, after }))
      if (value !== undefined) query.set(name, value);
    const { body } = await client.call({
      path: `/${pipeline}/${path}?${query}`,
      callers: 'admin',
    });
    const page = body as { readonly next?: string } & Readonly<Record<string, unknown>>;
    const items = (page[member] ?? []) as readonly T[];
    left -= items.length;
    after = page.next;
    yield { items, more: after !== undefined };
  } while (after !== undefined && left > 0 && !signal?.aborted);
}
