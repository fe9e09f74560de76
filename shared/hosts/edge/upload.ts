/**
 * The body of a request on its way to another server, so that whoever waits for an answer knows that it is still being
 * sent. A small one goes as it is.
 */
import { Failure } from '../../failure';
import { edge } from './runtime';

/** Bytes that are read at once, and of a body that is not worth watching. */
const PART = 65_536;

export interface UploadOptions {
  /** Called with each part that the server has taken. */
  readonly onPart: () => void;
  /** Ends the exchange with the server. */
  readonly controller: AbortController;
  /** Keeps this request alive until the promise is settled. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** The body to send: of the length that is declared, where one is. */
export const upload = (
  { body, headers }: Request,
  { onPart, controller, keepAlive }: UploadOptions,
): ReadableStream<Uint8Array> | null => {
  const declared = headers.get('content-length');
  const length = declared === null ? undefined : Number(declared);
  if (body === null || (length !== undefined && length <= PART)) return body;
  const pipe =
    length === undefined ? new edge.IdentityTransformStream() : new edge.FixedLengthStream(length);
  keepAlive(move(body, pipe.writable, { onPart, controller }));
  return pipe.readable;
};

/** Never rejects. A client that breaks off ends the exchange; a server that has heard enough ends the reading. */
const move = async (
  source: ReadableStream<Uint8Array>,
  target: WritableStream<Uint8Array>,
  { onPart, controller }: Omit<UploadOptions, 'keepAlive'>,
): Promise<void> => {
  const reader = source.getReader({ mode: 'byob' });
  const writer = target.getWriter();
  const read = (buffer: Uint8Array<ArrayBuffer>) =>
    reader.read(buffer).catch((thrown: unknown) => {
      controller.abort(new Failure('aborted', { cause: thrown }));
      throw thrown;
    });
  try {
    for (let part = await read(new Uint8Array(PART)); !part.done; ) {
      await writer.write(part.value);
      onPart();
      part = await read(new Uint8Array(part.value.buffer));
    }
    await writer.close();
  } catch (thrown) {
    await Promise.allSettled([reader.cancel(), writer.abort(thrown)]);
  }
};
