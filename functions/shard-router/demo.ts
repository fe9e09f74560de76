/** Three shards that are not there: in development, where no others are set, they answer with what would reach them. */
import type { Decorator, ForwardOptions } from '../../shared/handler';
import { rawQuery } from '../../shared/http/raw-query';
import { json } from '../../shared/http/response';

/** The next handler forwards to these shards. */
export const demoShards: Decorator = (next) => (request, context) =>
  next(
    request,
    Object.create(context, {
      forward: {
        value: (origin: string, { headers = {}, onEnd }: ForwardOptions = {}) => {
          onEnd?.();
          return json({
            shard: new URL(origin).hostname,
            headers,
            method: request.method,
            path: context.path + rawQuery(request.url),
          });
        },
      },
    }),
  );
