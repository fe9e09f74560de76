/**
 * Name servers, as the operating system is set up to ask them: whole names only, without its search list and hosts file.
 *
 * Fails closed: no answer in time, or half of one, is an error.
 */
import type { Names } from '../platform';

export interface NodeNamesOptions {
  /** `address` or `address:port` of each server. @default those of the operating system */
  readonly servers?: readonly string[];
  /** Before a question is put again, or to the next server, ms; it doubles. @default 1000 */
  readonly retryAfter?: number;
}

/** How often one server is asked. */
const TRIES = 3;

/** There is no record of this type, or of any, at this name (RFC 2308 section 2). */
const NO_RECORDS: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND']);

/** The module is loaded at the first question. */
export const nodeNames = ({ servers, retryAfter = 1_000 }: NodeNamesOptions = {}): Names => {
  const ask = async <T>(
    signal: AbortSignal,
    question: (resolver: import('node:dns').promises.Resolver) => Promise<T>,
  ): Promise<T> => {
    const { promises } = await import('node:dns');
    signal.throwIfAborted();
    // One resolver a question: to cancel one must not cancel another's.
    const resolver = new promises.Resolver({ timeout: retryAfter, tries: TRIES });
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await question(resolver);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  return {
    addresses: (host, signal) =>
      ask(signal, async (resolver) => {
        const answers = await Promise.allSettled([
          resolver.resolve4(host),
          resolver.resolve6(host),
        ]);
        // A host of one family has no records of the other; whatever else is wrong, some would be missing.
        const wrong = answers.find(
          (answer): answer is PromiseRejectedResult =>
            answer.status === 'rejected' && !NO_RECORDS.has(answer.reason.code),
        );
        if (wrong) throw wrong.reason;
        const found = answers.flatMap((answer) =>
          answer.status === 'fulfilled' ? answer.value : [],
        );
        if (found.length === 0) throw (answers[0] as PromiseRejectedResult).reason;
        return found;
      }),
    services: (name, signal) =>
      ask(signal, async (resolver) =>
        (await resolver.resolveSrv(name)).map(({ name: target, port, priority, weight }) => ({
          target: target.replace(/\.$/, ''),
          port,
          priority,
          weight,
        })),
      ),
  };
};
