/**
 * The Lambda host: functions behind API Gateway, a function URL or a load balancer, and events of SQS and EventBridge.
 *
 * It is built while the instance starts; between two invocations nothing goes on. Fails closed: with a wrong environment
 * nothing is served, every request is answered with 500, every event stays where it came from, and the log says why.
 */
import type { Environment } from '../config';
import { systemRandom } from '../random';
import { type Catalogue, ConfigurationError } from '../suite/suite';
import { type Accept, answerBatch } from './lambda/batch';
import { deliveryOf, toRequest } from './lambda/delivery';
import { type Instance, startInstance } from './lambda/instance';
import { Invocation } from './lambda/invocation';
import { kindOf } from './lambda/kind';
import { answerRequest, wholeAnswer } from './lambda/request';
import type { AwsLambda, LambdaContext, ResponseStream } from './lambda/runtime';
import { readHostSettings } from './lambda/settings';
import { streamRequest } from './lambda/stream';
import { processLog } from './process-log';

export interface LambdaOptions {
  /** Of more than one function none takes events, since nothing says whose they are. */
  readonly catalogue: Catalogue;
  /** The one function to serve. @default what FUNCTION_TARGET names, or all */
  readonly target?: string;
  /** @default that of the process; without NODE_ENV it is production */
  readonly environment?: Environment;
  /** Where relative paths start. @default the folder of the process */
  readonly folder?: string;
  /** What the runtime offers beside. @default the global of this name */
  readonly awslambda?: AwsLambda | undefined;
}

/** Resolves with what the source of the event waits for; rejects for an event that it must send again. */
export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<unknown>;

export const lambdaHandler = (options: LambdaOptions): LambdaHandler => {
  const { catalogue, folder = process.cwd() } = options;
  const { awslambda = (globalThis as { readonly awslambda?: AwsLambda }).awslambda } = options;
  const given = options.environment ?? process.env;
  const target = options.target ?? (given.FUNCTION_TARGET || undefined);
  const environment: Environment = {
    ...given,
    // An instance is on the internet as soon as it is there: only who says so gets what is open in development.
    NODE_ENV: given.NODE_ENV || 'production',
    FUNCTION_TARGET: target,
  };
  const settings = readHostSettings(environment);
  const logAt = processLog(settings.logLevel);
  const start = (): Promise<Instance> => {
    const options = { catalogue, environment, folder, settings, log: logAt, random: systemRandom };
    const instance = startInstance(options);
    // Whoever needs it is told.
    instance.catch(() => undefined);
    return instance;
  };

  let starting = start();
  const started = async (): Promise<Instance | undefined> => {
    try {
      return await starting;
    } catch (thrown) {
      const isFinal = thrown instanceof ConfigurationError;
      logAt({}).error('cannot_start', isFinal ? { reason: thrown.message } : { error: thrown });
      // Another one may end otherwise.
      if (!isFinal) starting = start();
      return undefined;
    }
  };
  const accept: Accept = async (delivery, invocation) => {
    if (target === undefined)
      throw new Error('events are for one function: FUNCTION_TARGET must name it');
    const instance = await starting;
    const { status, body } = await wholeAnswer(
      toRequest(target, delivery),
      instance,
      invocation,
      true,
    );
    if (status >= 300) throw new Error(`${target} answered ${status}: ${body.toString()}`);
    return null;
  };

  /** Resolves with `undefined` where the answer has gone into the stream. */
  const handle = async (
    event: unknown,
    context: LambdaContext,
    stream?: ResponseStream,
  ): Promise<unknown> => {
    const instance = await started();
    const invocation = new Invocation(context, logAt({}));
    try {
      const kind = kindOf(event);
      if (kind.is === 'request')
        return stream && awslambda
          ? await streamRequest(kind.request, instance, invocation, { awslambda, stream })
          : await answerRequest(kind.request, instance, invocation);
      if (!instance) throw new Error('the function could not be started');
      return kind.is === 'batch'
        ? await answerBatch(kind.records, accept, invocation)
        : await accept(deliveryOf(kind.event), invocation);
    } catch (thrown) {
      invocation.warn('event_refused', { reason: String(thrown) });
      throw thrown;
    } finally {
      await invocation.end();
    }
  };

  if (!settings.streaming) return (event, context) => handle(event, context);
  if (!awslambda) {
    logAt({}).warn('cannot_stream', { reason: 'the runtime has no streamifyResponse' });
    return (event, context) => handle(event, context);
  }
  return awslambda.streamifyResponse(async (event, stream, context) => {
    const result = await handle(event, context, stream);
    if (result !== undefined) stream.end(JSON.stringify(result));
  });
};
