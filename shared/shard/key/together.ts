/** One key of several: all of them are there, or it is none. */
import { toBytes } from '../bytes';
import type { KeyBody } from './body';
import type { Key, KeyValue, Policies } from './key';
import type { Read } from './reader';

export interface TogetherOptions {
  readonly readers: readonly { readonly read: Read; readonly readsBody: boolean }[];
  readonly separator: string | undefined;
  /** Whether each is hashed for itself. */
  readonly combines: boolean;
}

export const together = ({ readers, separator = '', combines }: TogetherOptions): Read => {
  const keyOf = (keys: readonly Key[]): Key => {
    const values = keys.map(({ value }) => value);
    const minted = keys.find(({ setCookie }) => setCookie !== undefined);
    return {
      value: joined(values, combines ? ' ' : separator),
      source: keys.map(({ source }) => source).join(' + '),
      ...(combines && { policies: keys.flatMap(policiesOf) }),
      ...(minted?.setCookie !== undefined && { setCookie: minted.setCookie }),
    };
  };
  // A body is read last: where something else is missing, nobody has to wait for it.
  const order = [...readers.keys()].sort(
    (a, b) => Number(readers[a]?.readsBody) - Number(readers[b]?.readsBody),
  );
  const read = (
    request: Request,
    body: KeyBody | undefined,
    context: Parameters<Read>[1],
    keys: Key[],
    from: number,
  ): ReturnType<Read> => {
    for (let at = from; at < order.length; at++) {
      const place = order[at] as number;
      const found = readers[place]?.read(request, context, body);
      if (found instanceof Promise)
        return found.then((key) => {
          if (!key) return undefined;
          keys[place] = key;
          return read(request, body, context, keys, at + 1);
        });
      if (!found) return undefined;
      keys[place] = found;
    }
    return keyOf(keys);
  };
  return (request, context, body) => read(request, body, context, new Array(readers.length), 0);
};

const policiesOf = ({ policies, value }: Key): Policies => policies ?? [[value]];

/** Text as long as all of it is text. */
const joined = (values: readonly KeyValue[], separator: string): KeyValue => {
  if (values.every((value) => typeof value === 'string')) return values.join(separator);
  const parts = values.flatMap((value, at) =>
    at === 0 ? [toBytes(value)] : [toBytes(separator), toBytes(value)],
  );
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};
