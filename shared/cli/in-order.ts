/** Work on what comes, several at once, told in the order in which it came. */

/**
 * At most `limit` at work at once; each result as soon as all before it have been given. `work` does not reject.
 * When the source rejects, what is at work ends first.
 */
export async function* inOrder<T, R>(
  source: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const items = source[Symbol.asyncIterator]();
  const open: Promise<R>[] = [];
  let coming: Promise<Found<T>> | undefined;
  let fault: Broken | undefined;
  let isOver = false;
  while (!isOver || open.length > 0) {
    const [head] = open;
    const hasPlace: boolean = !isOver && open.length < limit;
    if (hasPlace) coming ??= items.next().catch(broken);
    const found: Found<T> | undefined = await Promise.race([
      ...(coming && hasPlace ? [coming] : []),
      ...(head ? [head.then(() => undefined)] : []),
    ]);
    if (!found) {
      yield (await open.shift()) as R;
      continue;
    }
    coming = undefined;
    if ('error' in found) [fault, isOver] = [found, true];
    else if (found.done) isOver = true;
    else open.push(work(found.value));
  }
  if (fault) throw fault.error;
}

type Found<T> = IteratorResult<T> | Broken;

interface Broken {
  readonly error: unknown;
}

const broken = (error: unknown): Broken => ({ error });
