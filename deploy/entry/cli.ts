#!/usr/bin/env node
/** The command `faas-patterns`. */
import { catalogue } from '../../functions';
import { cli } from '../../shared/cli/cli';

cli(process.argv.slice(2), catalogue, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  environment: process.env,
  folder: process.cwd(),
}).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`faas-patterns: ${(error as Error).message}\n`);
    process.exitCode = 2;
  },
);
