/** The Dockerfile and .dockerignore as they are written: by rules of ours, each of which bites, and by a linter's. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { PEERS_TIMEOUT, providePeers } from '../support/peers';
import { readIgnore } from './dockerfile';
import { lintDockerfile } from './dockerfile-lint';

const ROOT = path.resolve(__dirname, '../..');
const DOCKERFILE = readFileSync(path.join(ROOT, 'deploy/container/Dockerfile'), 'utf8');

interface Finding {
  readonly message: string;
}
let validate: (text: string) => readonly Finding[];

beforeAll(async () => {
  const require = await providePeers('container');
  validate = require('dockerfile-utils').validate;
}, PEERS_TIMEOUT);

test('no rule is broken', () => {
  expect(lintDockerfile(DOCKERFILE)).toEqual([]);
});

test('the linter of the language server finds nothing either, and would', () => {
  expect(validate(DOCKERFILE)).toEqual([]);
  expect(validate(DOCKERFILE.replace('WORKDIR /app', 'WORKDRI /app'))).not.toEqual([]);
});

describe('broken:', () => {
  test.each<[rule: RegExp, from: string | RegExp, to: string]>([
    [/DL3000/, 'WORKDIR /app', 'WORKDIR app'],
    [/DL3003/, 'RUN npm run build', 'RUN cd /app && npm run build'],
    [/DL3004/, 'RUN npm run build', 'RUN sudo npm run build'],
    [/DL3006/, '-bookworm-slim AS', 'AS'],
    [/DL3006/, ':nonroot', ''],
    [/DL3007/, ':nonroot', ':latest'],
    [/DL3011/, 'EXPOSE 8080', 'EXPOSE 80800'],
    [/DL3020/, 'COPY pipelines', 'ADD pipelines'],
    [/DL3021/, 'package-lock.json ./', 'package-lock.json app'],
    [/DL3022/, '--from=modules', '--from=later'],
    [/DL3024/, 'AS modules', 'AS build'],
    [/DL3027/, 'RUN npm run build', 'RUN apt-get install -y git && npm run build'],
    [/DL4000/, 'EXPOSE 8080', 'MAINTAINER nobody'],
    [/DL4001/, 'RUN npm run build', 'RUN curl -O https://a.example/x && npm run build'],
    [/DL4003/, 'EXPOSE 8080', 'CMD ["node"]'],
    [/DL4003/, /ENTRYPOINT.*/, ''],
    [/lockfile/, 'RUN npm ci', 'RUN npm install'],
    [/lockfile/, ' --ignore-scripts', ''],
    [/npx/, /ENTRYPOINT.*/, 'ENTRYPOINT ["npx", "functions-framework"]'],
    [/DL3025/, /ENTRYPOINT.*/, 'ENTRYPOINT /usr/local/bin/node /app/dist/node.cjs'],
    [/DL3025/, /ENTRYPOINT.*/, 'ENTRYPOINT ["npm", "start"]'],
    [/V8/, '"/app/dist/node.cjs"', '"--jitless", "/app/dist/node.cjs"'],
    [/DL3002/, 'USER 65532:65532', 'USER nonroot'],
    [/DL3002/, 'USER 65532:65532', 'USER 0:0'],
    [/DL3002/, 'USER 65532:65532', ''],
    [/production/, 'ENV NODE_ENV=production', ''],
    [/no shell/, 'EXPOSE 8080', 'RUN ls'],
    [/no secret/, 'EXPOSE 8080', 'ENV SECRET_KEY=abc'],
    [/asks for health/, 'EXPOSE 8080', 'HEALTHCHECK CMD true'],
    [/before the sources/, 'COPY package.json package-lock.json ./', 'COPY functions ./functions/'],
  ])('%s by %s -> %s', (rule, from, to) => {
    const broken = DOCKERFILE.replace(from, to);
    expect(broken).not.toBe(DOCKERFILE);
    expect(lintDockerfile(broken)).toContainEqual(expect.stringMatching(rule));
  });
});

describe('.dockerignore', () => {
  const ignored = readIgnore(readFileSync(path.join(ROOT, '.dockerignore'), 'utf8'));

  test.each([
    'functions/index.ts',
    'shared/hosts/node.ts',
    'deploy/build/warm-up.cjs',
    'pipelines/signup.yaml',
    'package-lock.json',
    'test/peers/restate/package-lock.json',
  ])('lets %s through', (file) => expect(ignored(file)).toBe(false));

  test.each([
    '.env',
    '.git/config',
    '.data/secret-key',
    'functions/.env',
    'deploy/.npmrc',
    'node_modules/esbuild/package.json',
    'functions/a/node_modules/b/index.js',
    'dist/node.cjs',
    'test/peers/restate/node_modules/a/index.js',
    'test/hosts/edge.test.ts',
    'secrets.env',
  ])('keeps %s away', (file) => expect(ignored(file)).toBe(true));
});
