import shardRouter from '../../../functions/shard-router';
import { edgeHandler } from '../../../shared/hosts/edge';

export default edgeHandler(shardRouter);
