/** Real shards as processes, and a router in front of them as one, on either Node host. */
import { bundle } from '../../support/bundle';
import { type Child, startChild } from '../../support/child';
import { type HostProcess, startHost } from '../../support/host-process';
import { exchange, type RawAnswer, type RawRequest } from '../../support/raw-http';

export interface ShardProcess {
  readonly name: string;
  readonly port: number;
  readonly child: Child;
  /** From now on it does as the word says; see shard-child.ts. */
  behave(mode: string): Promise<void>;
  /** Requests that have reached it. */
  count(): Promise<number>;
  /** kill -9, and gone. */
  kill(): Promise<void>;
}

/** On the same port as before, when one is given. */
export const startShard = async (name: string, port = 0): Promise<ShardProcess> => {
  const child = await startChild('test/functions/shard-router/shard-child.ts', [name, `${port}`], {
    timeout: 120_000,
  });
  const listening = Number(await child.line());
  return {
    name,
    port: listening,
    child,
    behave: async (mode) => {
      child.send(`mode ${mode}`);
      await child.line();
    },
    count: async () => {
      child.send('count');
      return Number(await child.line());
    },
    kill: async () => {
      child.kill('SIGKILL');
      await child.ended;
    },
  };
};

export const shardsOf = (shards: readonly ShardProcess[]) =>
  shards.map(({ name, port }) => ({ name, address: `127.0.0.1:${port}` }));

export type HostName = 'node' | 'functions-framework';

export interface Lab {
  readonly host: HostProcess;
  ask(request: RawRequest): Promise<RawAnswer>;
  /** The shard that answered, or the status and code of the refusal. */
  whoHas(key: string, init?: Partial<RawRequest>): Promise<string>;
}

/** `config`: all but what is the same in every test, mode native and a key from `x-key`. */
export const startRouter = async (
  config: object,
  name: HostName = 'node',
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Lab> => {
  const host = await startHost({
    file: bundle(`deploy/entry/${name}.ts`),
    environment: {
      FUNCTION_TARGET: 'shard-router',
      SHARD_ROUTER_CONFIG: JSON.stringify({ mode: 'native', key: { header: 'x-key' }, ...config }),
      ...environment,
    },
  });
  const ask: Lab['ask'] = (request) => exchange(host.port, request);
  return {
    host,
    ask,
    whoHas: async (key, init = {}) => {
      const answer = await ask({ path: '/', ...init, headers: [['x-key', key]] });
      const text = answer.body.toString();
      if (answer.status !== 200)
        return `${answer.status} ${text.startsWith('{') ? JSON.parse(text).code : text}`;
      return JSON.parse(text).shard;
    },
  };
};

/** Of an answer. */
export const header = ({ headers }: RawAnswer, name: string): string | undefined =>
  headers.find(([field]) => field === name)?.[1];
