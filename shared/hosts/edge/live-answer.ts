/**
 * The body of another server's answer on its way through: part by part at the pace of the client, as bytes, whatever
 * their coding. Fails closed: silence beyond `idle`, or a server that breaks off, cuts the client off.
 *
 * A stream may be ended from within another request, and there the runtime lets nobody touch what belongs to this one:
 * so `end` only resolves a promise, and what follows is done here.
 */
import { Failure } from '../../failure';
import type { ForwardOptions, LiveStream } from '../../handler';
import { farewellOf, isEventStream } from '../../http/event-stream';
import { edge } from './runtime';

export interface LiveAnswerOptions extends Pick<ForwardOptions, 'onStream' | 'onEnd'> {
  /** Between two parts, ms. */
  readonly idle: number;
  /** Ends the exchange with the server. */
  readonly controller: AbortController;
  /** Keeps this request alive until the promise is settled, also when its client has left. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** Bytes that are read at once: by default the runtime reads 4 KiB. */
const PART = 65_536;
/** How long a client that is told goodbye may take to read what is before it, ms. */
const GOODBYE = 2_000;

type Ending = Parameters<LiveStream['end']>[0];

/** Gives the body to send on. `response` has one. */
export const liveAnswer = (
  response: Response,
  options: LiveAnswerOptions,
): ReadableStream<Uint8Array> => {
  const { headers } = response;
  const length = headers.get('content-length');
  const protocol = isEventStream(headers.get('content-type')) ? 'sse' : 'http';
  const ending = promiseOf<Ending>();
  const ended = promiseOf<void>();
  const pipe =
    length === null
      ? new edge.IdentityTransformStream()
      : new edge.FixedLengthStream(Number(length));
  const source = response.body as ReadableStream<Uint8Array>;
  if (protocol === 'sse' || length === null)
    options.onStream?.({
      protocol,
      end: (how) => ending.resolve(how),
      ended: ended.promise,
    });
  const isPlain = /^(?:identity)?$/i.test(headers.get('content-encoding')?.trim() ?? '');
  const farewell = (lastByte: number | undefined, how: Ending): string | undefined => {
    // A declared length has to be kept or broken.
    if (protocol === 'http' || length !== null) return undefined;
    return isPlain ? farewellOf(lastByte, how?.retry) : '';
  };
  const work = relay(source, pipe.writable, { ...options, ending: ending.promise, farewell });
  options.keepAlive(
    work.finally(() => {
      options.onEnd?.();
      ended.resolve();
    }),
  );
  return pipe.readable;
};

interface RelayOptions extends LiveAnswerOptions {
  readonly ending: Promise<Ending>;
  /** What is said before an early end; `undefined`: there is no way to say it, and the connection is cut. */
  readonly farewell: (lastByte: number | undefined, how: Ending) => string | undefined;
}

interface Part {
  readonly done: boolean;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Never rejects: what went wrong is told to both sides. */
const relay = async (
  source: ReadableStream<Uint8Array>,
  target: WritableStream<Uint8Array>,
  { idle, controller, ending, farewell }: RelayOptions,
): Promise<void> => {
  const reader = source.getReader({ mode: 'byob' });
  const writer = target.getWriter();
  let lastByte: number | undefined;
  let end: { readonly how: Ending } | undefined;
  let wake: (part: undefined) => void = () => {};
  let patience: ReturnType<typeof setTimeout> | undefined;
  void ending.then((how) => {
    end = { how };
    wake(undefined);
    patience = setTimeout(() => writer.abort(new Failure('aborted')).catch(() => {}), GOODBYE);
  });
  /** The next part; `undefined`: it is to end. */
  const next = (buffer: Uint8Array<ArrayBuffer>): Promise<Part | undefined> => {
    let late: ReturnType<typeof setTimeout> | undefined;
    return new Promise<Part | undefined>((resolve, reject) => {
      wake = resolve;
      late = setTimeout(() => reject(new Failure('upstream_timeout')), idle);
      reader.read(buffer).then((part) => resolve(part as Part), reject);
    }).finally(() => clearTimeout(late));
  };
  try {
    let buffer = new Uint8Array(PART);
    while (!end) {
      const part = await next(buffer);
      if (!part || part.done) break;
      lastByte = part.value.at(-1);
      await writer.write(part.value);
      buffer = new Uint8Array(part.value.buffer);
    }
    if (end) await sayGoodbye(writer, farewell(lastByte, end.how));
    await writer.close();
  } catch (thrown) {
    await writer.abort(thrown).catch(() => {});
  } finally {
    clearTimeout(patience);
    // The server behind sees its connection close, unless it has said all.
    controller.abort(new Failure('aborted'));
  }
};

const sayGoodbye = async (
  writer: WritableStreamDefaultWriter<Uint8Array>,
  text: string | undefined,
): Promise<void> => {
  if (text === undefined) throw new Failure('aborted');
  if (text !== '') await writer.write(new TextEncoder().encode(text));
};

const promiseOf = <T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } => {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};
