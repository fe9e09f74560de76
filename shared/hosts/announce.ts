/** What a started host says: one log line for machines, and in development a list for people. */
import type { AddressInfo } from 'node:net';
import type { Log } from '../handler';
import type { Suite } from '../suite/suite';

export interface AnnounceOptions {
  readonly suite: Suite;
  readonly address: AddressInfo;
  readonly log: Log;
  readonly host: string;
  readonly write: (text: string) => void;
}

export const announce = ({ suite, address, log, host, write }: AnnounceOptions): void => {
  const functions = suite.describe();
  log.info('listening', {
    host,
    address: address.address,
    port: address.port,
    functions: functions.map(({ name }) => name),
  });
  if (suite.production) return;
  const url = `http://localhost:${address.port}`;
  const width = Math.max(...functions.map(({ name }) => name.length));
  const rows = functions.map(
    ({ name, summary }) =>
      `  ${name.padEnd(width)}  ${url}/${name}\n  ${' '.repeat(width)}  ${summary}`,
  );
  // A pipeline shows most at once.
  const [example] = [...functions]
    .sort((a, b) => Number(b.kind === 'pipeline') - Number(a.kind === 'pipeline'))
    .flatMap(({ routes }) => routes)
    .flatMap(({ curl }) => curl ?? []);
  write(
    `\n${rows.join('\n')}\n\n${example ? `Try it: ${example}\n` : ''}${functions.length > 1 ? `All of them: ${url}/   Mails and messages: ${url}/outbox\n` : ''}\n`,
  );
};
