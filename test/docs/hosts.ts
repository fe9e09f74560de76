/** The hosts that a reader of one page asks, and the real curl that asks them. */
import path from 'node:path';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { type Copy, ROOT, run } from './copy';
import type { Answer } from './expect';

export interface Hosts {
  /** What else is set from here on: what is served already is stopped. */
  set(environment: Readonly<Record<string, string>>): Promise<void>;
  /** The URL of one that serves the tree as it is, or as the page has it edited; started when first asked for. */
  url(edited: boolean): Promise<string>;
  stop(): Promise<void>;
}

/** Fresh for each page, so that an address that one page signs up is free in the next. */
export const createHosts = (copy: Copy): Hosts => {
  const started = new Map<boolean, HostProcess>();
  let environment: Readonly<Record<string, string>> = {};
  const stop = async (): Promise<void> => {
    for (const host of started.values()) await host.stop();
    started.clear();
  };
  return {
    set: async (wanted) => {
      environment = wanted;
      await stop();
    },
    url: async (edited) => {
      const host =
        started.get(edited) ??
        (await (edited
          ? startHost({
              file: path.join(copy.folder, 'dist/functions-framework.cjs'),
              environment: { PIPELINES_DIR: path.join(copy.folder, 'pipelines'), ...environment },
            })
          : startHost({ file: bundleOnce(), environment })));
      started.set(edited, host);
      return host.url;
    },
    stop,
  };
};

let bundled: string | undefined;
const bundleOnce = (): string => {
  bundled ??= bundle('deploy/entry/functions-framework.ts');
  return bundled;
};

/** The command as it stands, but to the host at `url`. */
export const curl = async (text: string, url: string): Promise<Answer> => {
  const here = text.replaceAll(/(?:http:\/\/)?localhost:8080/g, url);
  const { output } = await run('bash', ['-c', `${here} --max-time 20 -w '\\n%{http_code}'`], {
    cwd: ROOT,
    env: { PATH: process.env.PATH },
  });
  const [, body = '', status = '0'] = /^([\s\S]*)\n(\d{3})$/.exec(output) ?? [];
  const withHead = /^HTTP\//.test(body);
  return { status: Number(status), body: withHead ? body.replace(/^[\s\S]*?\r\n\r\n/, '') : body };
};
