/** What a router is made of. */
import type { Clock } from '../../shared/clock';
import type { KeyReader } from '../../shared/shard/key/key';
import type { LiveTable } from '../../shared/shard/members/source';
import type { Answers } from './answers';
import type { Servers } from './choice';
import type { RouterConfig } from './config';
import type { Streams } from './streams';

export interface Parts {
  readonly config: RouterConfig;
  readonly reader: KeyReader;
  readonly live: LiveTable;
  readonly servers: Servers;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly streams: Streams;
}
