/** What the runtime of Lambda gives a handler, as far as it is used here. */
import type { Writable } from 'node:stream';

export interface LambdaContext {
  readonly awsRequestId: string;
  /** Until the invocation is cut, ms. */
  getRemainingTimeInMillis(): number;
}

/** Where a streamed answer goes. */
export type ResponseStream = Writable;

/** The head of a streamed answer. */
export interface StreamHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
}

/** The global that Lambda puts there where it can stream. */
export interface AwsLambda {
  streamifyResponse(
    handler: (event: unknown, stream: ResponseStream, context: LambdaContext) => Promise<void>,
  ): (event: unknown, context: LambdaContext) => Promise<unknown>;
  readonly HttpResponseStream: { from(stream: ResponseStream, head: StreamHead): ResponseStream };
}
