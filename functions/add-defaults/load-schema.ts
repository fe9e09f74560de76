/**
 * Where the schema comes from: inline JSON, a file, or a URL. Inline and file are read at start and refused there;
 * a URL is loaded at the first request that needs it, and again after a failure. Where there are no files, as at the
 * edge, the schema is inline: there only one that the build has seen can be used, so none can come later.
 *
 * Fails closed: without its schema no JSON body passes.
 */
import { Failure } from '../../shared/failure';
import type { Decorator, Handler } from '../../shared/handler';
import { readStream } from '../../shared/http/body';
import { parseJson } from '../../shared/json';
import type { Files } from '../../shared/platform';
import type { Schema } from '../../shared/schema';
import { takesDefaults } from './add-defaults';

/** Bytes of a schema from a URL. */
const MAX_SCHEMA = 1_048_576;

export interface WithSchemaOptions {
  /** @default there are none, and the schema is the JSON itself */
  readonly files?: Files | undefined;
  /** How long a URL may take to give the whole schema, in ms. @default 10000 */
  readonly timeout?: number;
}

/** The decorator for a schema that is named by `source`. Throws a TypeError when it is not a URL and cannot be read. */
export const withSchema = (
  source: string,
  decorator: (schema: Schema) => Decorator,
  { files, timeout = 10_000 }: WithSchemaOptions = {},
): Decorator => {
  if (source.startsWith('{')) return decorator(parseSchema(source));
  if (!files) throw new TypeError('here it must be the JSON itself: there are no files');
  if (/^https?:\/\//i.test(source))
    return whenLoaded(() => fetchSchema(source, timeout), decorator);
  return decorator(parseSchema(files.readNow(source)));
};

const parseSchema = (text: string): Schema => {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (thrown) {
    throw new TypeError((thrown as Failure).message, { cause: thrown });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('the schema must be a JSON object');
  return value as Schema;
};

/** One load for all who wait; a failed one is forgotten. */
const whenLoaded =
  (load: () => Promise<Schema>, decorator: (schema: Schema) => Decorator): Decorator =>
  (next) => {
    let decorated: Promise<Handler> | undefined;
    const ready = (): Promise<Handler> => {
      decorated ??= load()
        .then((schema) => decorator(schema)(next))
        .catch((thrown: unknown) => {
          decorated = undefined;
          throw explain(thrown);
        });
      return decorated;
    };
    return (request, context) =>
      takesDefaults(request)
        ? ready().then((handler) => handler(request, context))
        : next(request, context);
  };

const fetchSchema = async (url: string, timeout: number): Promise<Schema> => {
  const response = await fetch(url, {
    headers: { accept: 'application/schema+json, application/json' },
    signal: AbortSignal.timeout(timeout),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Failure('upstream_unreachable', {
      detail: 'The schema of this function could not be loaded.',
      cause: new Error(`the schema was answered with status ${response.status}`),
    });
  }
  return parseSchema(new TextDecoder().decode(await readStream(response.body, MAX_SCHEMA)));
};

const explain = (thrown: unknown): Failure => {
  if (thrown instanceof Failure && thrown.status === 502) return thrown;
  if ((thrown as Error).name === 'TimeoutError')
    return new Failure('upstream_timeout', {
      detail: 'The schema of this function did not arrive in time.',
      cause: thrown,
    });
  return new Failure('upstream_unreachable', {
    detail: 'The schema of this function could not be loaded.',
    cause: thrown,
  });
};
