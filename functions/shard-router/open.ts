/** Puts the parts of a router together: the table, the servers, the streams, and what keeps them up to date. */

import type { Clock } from '../../shared/clock';
import type { Handler, Log } from '../../shared/handler';
import type { Files, Names } from '../../shared/platform';
import type { Random } from '../../shared/random';
import { keyReader } from '../../shared/shard/key/reader';
import { liveTable } from '../../shared/shard/members/live-table';
import type { Warning } from '../../shared/shard/placer';
import type { ShardTable } from '../../shared/shard/table';
import { untilAborted } from '../../shared/signal';
import type { Store } from '../../shared/store/store';
import { createAnswers } from './answers';
import { askByFetch } from './ask';
import { type RouterConfig, unreachable } from './config';
import { createDirectory, type Directory } from './directory';
import type { Parts } from './parts';
import { activeChecks } from './probes';
import { publishTable } from './publish';
import { createRouter } from './router';
import { createServers } from './servers';
import { createStreams } from './streams';
import { createStreamsAlone } from './streams-alone';

export interface OpenRouterOptions {
  readonly config: RouterConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** @default none, and then members from a file are refused */
  readonly files?: Files | undefined;
  /** @default none, and then members from DNS are refused */
  readonly names?: Names | undefined;
  /** Called once, where members come from the store. @default none, and then those are refused */
  readonly store?: (() => Store) | undefined;
  /**
   * Takes what goes on besides the requests, as `platform.background` does. @default nobody does: live members are looked
   * at when a request comes, and nothing is checked actively
   */
  readonly background?: ((work: (signal: AbortSignal) => Promise<void>) => void) | undefined;
  /** What it runs in: elsewhere than on Node the lines of a field arrive joined. @default 'node' */
  readonly runtime?: 'node' | 'edge';
}

export interface OpenRouter {
  /** `here` answers what belongs to the shard that this process is. @default it is none */
  handler(here?: { readonly shard: string; readonly handler: Handler }): Handler;
  readonly directory: Directory;
  readonly publish: Handler;
}

/** Throws a TypeError for settings that cannot work here. */
export const openRouter = (options: OpenRouterOptions): OpenRouter => {
  const { config, clock, random, log, files, names, background, runtime = 'node' } = options;
  const { topology, members, health, onDown, bound, retryFor, timeout, streams } = config;
  const store = members.from === 'store' ? options.store?.() : undefined;
  const reader = keyReader(config.key, { mode: topology.mode, runtime, random });
  const live = liveTable({
    topology,
    members,
    check: unreachable(config.answer),
    clock,
    random,
    log,
    files,
    names,
    store,
  });
  const servers = createServers({
    onDown,
    bound,
    failures: health.failures,
    openFor: health.open,
    retryFor,
    active: background && health.active,
    // Beyond what a request may take to fail.
    probeFor: timeout + CONNECT,
    random,
    onTurn: (url, state) =>
      state === 'open'
        ? log.warn('shard_server_down', { url })
        : log.info('shard_server_up', { url }),
  });
  const make = runtime === 'edge' ? createStreamsAlone : createStreams;
  const watched = make({ ...streams, clock, random });
  const warn = warnOnce(log);
  const take = (table: ShardTable): void => {
    servers.update(table.shards);
    warn(table.warnings);
  };

  warn(reader.warnings);
  live.onChange((now) => {
    take(now);
    watched.change(now);
  });
  const first = live.current();
  if (first) take(first);
  background?.((signal) => live.follow(signal));
  background?.((signal) => untilAborted(signal).then(watched.stop));
  if (health.active) {
    if (background)
      background(activeChecks({ ...health.active, servers, clock, random, ask: askByFetch }));
    else log.warn('shard_checks_off', { why: 'nothing goes on between requests here' });
  }

  const { ttl, key } = config;
  const answers = createAnswers({ ttl, key });
  const parts: Parts = { config, reader, live, servers, answers, clock, streams: watched };
  return {
    handler: (here) => createRouter(parts, here),
    directory: createDirectory(parts, {
      reader: keyReader(ASKED, { mode: 'native', runtime, random }),
      answers: createAnswers({ ttl, key: ASKED }),
    }),
    publish: publishTable(parts, store),
  };
};

/** `GET /owner?key=…`: read alike whatever the mode is. */
const ASKED = { query: 'key', decode: true };

/** How long a connection may take beside what a request may, in ms. */
const CONNECT = 10_000;

/** Each once, however often a table is made. */
const warnOnce = (log: Log) => {
  const told = new Set<string>();
  return (warnings: readonly Warning[]): void => {
    for (const { code, message } of warnings) {
      if (told.has(message)) continue;
      told.add(message);
      log.warn('shard_table_warning', { warning: code, message });
    }
  };
};
