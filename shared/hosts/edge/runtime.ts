/** What workerd has beyond the web: as much of it as the edge host uses. */

export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

/** The bindings of a worker, by name. */
export type Bindings = Readonly<Record<string, unknown>>;

/** `automatic` would inflate an answer when it is read, and deflate it again when it is sent. */
export interface FetchInit extends Omit<RequestInit, 'body'> {
  readonly body?: ReadableStream<Uint8Array> | string | Uint8Array | null;
  readonly encodeResponseBody: 'manual';
}

/** Another worker or server, or the network itself. */
export interface Fetcher {
  fetch(url: string, init: FetchInit): Promise<EdgeResponse>;
}

export type EdgeResponse = Response & { readonly webSocket?: EdgeSocket | null };

export interface EdgeSocket {
  binaryType?: string;
  accept(): void;
  send(message: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  addEventListener(
    type: 'message',
    listener: (event: { data: string | ArrayBuffer }) => void,
  ): void;
  addEventListener(
    type: 'close',
    listener: (event: { code: number; reason: string }) => void,
  ): void;
  addEventListener(type: 'error', listener: () => void): void;
}

interface EdgeGlobals {
  readonly WebSocketPair: new () => { readonly 0: EdgeSocket; readonly 1: EdgeSocket };
  /** Two ends of one pipe, in the runtime itself; a part is written when it has been read. */
  readonly IdentityTransformStream: new () => TransformStream<Uint8Array, Uint8Array>;
  /** The same, of a length that is declared. */
  readonly FixedLengthStream: new (
    length: number,
  ) => TransformStream<Uint8Array, Uint8Array>;
  readonly Response: new (
    body: ReadableStream<Uint8Array> | string | Uint8Array | null,
    init: {
      readonly status: number;
      readonly statusText?: string;
      readonly headers: Headers;
      readonly encodeBody?: 'manual';
      readonly webSocket?: EdgeSocket;
    },
  ) => EdgeResponse;
}

/** Read when they are used: on Node there are none of them. */
export const edge = globalThis as unknown as EdgeGlobals;
