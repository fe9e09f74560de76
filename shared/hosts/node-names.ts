/** Name servers, as the operating system is set up to ask them. Fails closed: no answer in time is an error. */
import type { Names } from '../platform';

export interface NodeNamesOptions {
  /** `address` or `address:port` of each server. @default those of the operating system */
  readonly servers?: readonly string[];
}

/** The module is loaded at the first question. */
export const nodeNames = ({ servers }: NodeNamesOptions = {}): Names => {
  const ask = async <T>(
    signal: AbortSignal,
    question: (resolver: import('node:dns').promises.Resolver) => Promise<T>,
  ): Promise<T> => {
    const { promises } = await import('node:dns');
    signal.throwIfAborted();
    // One resolver a question: to cancel one must not cancel another's.
    const resolver = new promises.Resolver();
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
        const found = answers.flatMap((answer) =>
          answer.status === 'fulfilled' ? answer.value : [],
        );
        // A host of one family has no answer for the other; of neither, the first error tells why.
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
