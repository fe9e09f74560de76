/** Somebody waits for an answer, and gets it part by part, at the pace at which the platform takes it. */
import type { AnswerSink } from './exchange';
import type { GatewayRequest } from './gateway';
import type { Instance } from './instance';
import type { Invocation } from './invocation';
import { earlyAnswer, exchange, joinFields, problemAnswer, type WholeAnswer } from './request';
import type { AwsLambda, ResponseStream } from './runtime';

export interface StreamOptions {
  readonly awslambda: AwsLambda;
  readonly stream: ResponseStream;
}

/** Resolves when all of it was handed over. An answer that breaks breaks its stream: a client must see that it is short. */
export const streamRequest = async (
  request: GatewayRequest,
  instance: Instance | undefined,
  invocation: Invocation,
  options: StreamOptions,
): Promise<void> => {
  const sink = new Streamed(options);
  const early = earlyAnswer(request, instance, invocation);
  if (early) return sink.whole(early);
  const end = await exchange(request, instance as Instance, invocation, sink, false);
  if (end === undefined) return undefined;
  if (sink.isBegun) options.stream.destroy(end);
  else await sink.whole(problemAnswer(end, request, invocation));
};

class Streamed implements AnswerSink {
  private target: ResponseStream | undefined;

  constructor(private readonly options: StreamOptions) {}

  get isBegun(): boolean {
    return this.target !== undefined;
  }

  head(status: number, fields: readonly string[]): void {
    const { awslambda, stream } = this.options;
    const head = { statusCode: status, ...joinFields(fields) };
    this.target = awslambda.HttpResponseStream.from(stream, head);
    // The head goes with the first part, and there may be none for long.
    this.target.write('');
  }

  write(part: Buffer, done: (error?: Error | null) => void): void {
    this.target?.write(part, done);
  }

  end(done: (error?: Error | null) => void): void {
    this.target?.end(() => done());
  }

  async whole({ status, fields, body }: WholeAnswer): Promise<void> {
    this.head(status, fields);
    await new Promise<void>((resolve) => this.target?.end(body, () => resolve()));
  }
}
