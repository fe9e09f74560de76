import { type ShardQuestion, shardAnswers } from './shard-answers';

export default {
  fetch: async (request: Request): Promise<Response> =>
    Response.json(shardAnswers((await request.json()) as ShardQuestion)),
};
