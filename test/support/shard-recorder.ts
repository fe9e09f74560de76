/**
 * The applications behind the shards, all in one process: each on a port of its own, each writes down what it executes.
 * Run as a child: prints the ports of the shards that its arguments name; `dump FILE` on standard input writes a line for
 * each execution: shard, call, key, epoch, digest, role.
 */
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

const executions: string[] = [];

const listen = (shard: string): Promise<number> =>
  new Promise((resolve) => {
    const server = http.createServer((incoming, outgoing) => {
      const { headers } = incoming;
      incoming.resume().once('end', () => {
        const told = ['x-call', 'x-key', 'shard-epoch', 'shard-digest', 'shard-role'];
        executions.push([shard, ...told.map((name) => headers[name] ?? '')].join('\t'));
        outgoing.end(shard);
      });
    });
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

void Promise.all(process.argv.slice(2).map(listen)).then((ports) => {
  process.stdout.write(`${JSON.stringify(ports)}\n`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const [, file] = /^dump (.*)$/.exec(line) ?? [];
      if (file === undefined) return;
      writeFileSync(file, executions.join('\n'));
      process.stdout.write(`${executions.length}\n`);
    })
    .once('close', () => process.exit());
});
