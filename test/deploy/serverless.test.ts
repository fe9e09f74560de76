/** serverless.yml by the tool that deploys it: packed offline, without credentials, and what would be made of it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { type Declarations, readDeclarations } from '../../shared/cli/declarations';
import { environmentOf } from '../../shared/cli/manifests/environment';
import { serverless, serverlessService } from '../../shared/cli/manifests/serverless';
import { toYaml } from '../../shared/pipeline/export/yaml';
import { copyBuilt } from '../support/lambda-build';
import { PEERS_TIMEOUT, providePeers } from '../support/peers';

const ROOT = path.resolve(__dirname, '../..');
/** Such as a deployer would have. */
const CANARY = 'canary-secret-of-at-least-32-characters';

/** What the gateway's address is put into, unless there is a better one. */
const KNOWN = new Set(['PUBLIC_URL', 'FUNCTIONS_URL']);

let facts: Declarations;
let osls: string;
let folder: string;
let template: Template;

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}
interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is what CloudFormation says it is
  readonly Properties: any;
}

const pack = (cwd: string, environment: Readonly<Record<string, string>>) =>
  spawnSync(process.execPath, [osls, 'package', '--package', 'out'], {
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
      ...environment,
    },
  });

/** A value for each variable that has no default. */
const required = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    facts.functions
      .flatMap(environmentOf)
      .filter(
        ({ name, required, setting }) =>
          required && !KNOWN.has(name) && setting.default === undefined,
      )
      .map(({ name, setting }) => [name, setting.secret ? CANARY : (setting.example ?? 'value')]),
  );

beforeAll(async () => {
  const peers = await providePeers('serverless');
  osls = peers.resolve('serverless/bin/serverless.js');
  facts = await readDeclarations(catalogue, ROOT);
  folder = mkdtempSync(path.join(os.tmpdir(), 'faas-serverless-'));
  const [file] = [...serverless(facts)];
  writeFileSync(path.join(folder, 'serverless.yml'), file?.[1] as string);
  cpSync(path.join(ROOT, 'pipelines'), path.join(folder, 'pipelines'), { recursive: true });
  copyBuilt(
    folder,
    facts.functions.map(({ name }) => name),
  );
  const packed = pack(folder, required());
  if (packed.status !== 0) throw new Error(packed.stdout + packed.stderr);
  template = JSON.parse(
    readFileSync(path.join(folder, 'out/cloudformation-template-update-stack.json'), 'utf8'),
  ) as Template;
}, PEERS_TIMEOUT);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ofType = (type: string): readonly Resource[] =>
  Object.values(template.Resources).filter((resource) => resource.Type === type);

const lambdaOf = (name: string): Resource =>
  ofType('AWS::Lambda::Function').find(({ Properties }) =>
    JSON.stringify(Properties.FunctionName).endsWith(`-${name}"`),
  ) as Resource;

/** The files of a package, by the listing that zip keeps at its end. */
const filesOf = (name: string): readonly string[] => {
  const { stdout, status } = spawnSync('python3', [
    '-c',
    'import sys, zipfile; print("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))',
    path.join(folder, `out/${name}.zip`),
  ]);
  expect(status).toBe(0);
  return stdout.toString().trim().split('\n');
};

test('there is a function for each declaration, with its own role, bundle and routes', () => {
  expect(ofType('AWS::Lambda::Function')).toHaveLength(facts.functions.length);
  const routes = ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
  expect(routes.sort()).toEqual(
    facts.functions.flatMap(({ name }) => [`ANY /${name}`, `ANY /${name}/{proxy+}`]).sort(),
  );
  for (const { name } of facts.functions) {
    const { Properties } = lambdaOf(name);
    expect(Properties).toMatchObject({
      Handler: `dist/functions/${name}/lambda.handler`,
      Runtime: 'nodejs22.x',
      Architectures: ['arm64'],
      Timeout: 29,
    });
    expect(Properties.Environment.Variables).toMatchObject({
      FUNCTION_TARGET: name,
      NODE_ENV: 'production',
    });
    const role = template.Resources[Properties.Role['Fn::GetAtt'][0]] as Resource;
    expect(role.Properties.Policies[0].PolicyName).toBe(name);
  }
  expect(
    new Set(ofType('AWS::Lambda::Function').map((one) => JSON.stringify(one.Properties.Role))).size,
  ).toBe(facts.functions.length);
});

test('a role may write its own log and read its own queue, and nothing else', () => {
  const roles = ofType('AWS::IAM::Role');
  expect(roles).toHaveLength(facts.functions.length);
  for (const { Properties } of roles) {
    const [{ PolicyName, PolicyDocument }] = Properties.Policies;
    const takes = facts.functions.find(({ name }) => name === PolicyName)?.kind === 'event';
    const [log, queue, ...more] = PolicyDocument.Statement;
    expect(log.Action).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
    expect(log.Resource['Fn::Sub']).toMatch(
      new RegExp(`:/aws/lambda/faas-patterns-dev-${PolicyName}:\\*$`),
    );
    expect(queue?.Action).toEqual(
      takes ? ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'] : undefined,
    );
    expect([more, Properties.ManagedPolicyArns]).toEqual([[], undefined]);
    expect(JSON.stringify(PolicyDocument)).not.toMatch(/"Resource":"\*"|"Action":"\*|:\*"\]/);
  }
});

test('functions of events have a queue that tells which messages failed and lays aside what fails again', () => {
  const events = facts.functions.filter(({ kind }) => kind === 'event');
  expect(events.length).toBeGreaterThan(0);
  const mappings = ofType('AWS::Lambda::EventSourceMapping');
  expect(mappings).toHaveLength(events.length);
  for (const { Properties } of mappings) {
    expect(Properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    const queue = template.Resources[Properties.EventSourceArn['Fn::GetAtt'][0]] as Resource;
    expect(queue.Properties.VisibilityTimeout).toBeGreaterThanOrEqual(6 * 29);
    const { deadLetterTargetArn, maxReceiveCount } = queue.Properties.RedrivePolicy;
    expect(template.Resources[deadLetterTargetArn['Fn::GetAtt'][0]]?.Type).toBe('AWS::SQS::Queue');
    expect(maxReceiveCount).toBe(5);
  }
});

test('the addresses of the gateway are known where links and steps need them', () => {
  const { PUBLIC_URL } = lambdaOf('email-user').Properties.Environment.Variables;
  expect(JSON.stringify(PUBLIC_URL)).toContain('execute-api');
  const { FUNCTIONS_URL } = lambdaOf('signup').Properties.Environment.Variables;
  expect(JSON.stringify(FUNCTIONS_URL)).toContain('execute-api');
});

test('a package holds its bundle, a pipeline its files, and nobody anything else', () => {
  for (const { name } of facts.functions) {
    const files = filesOf(name);
    const own = ['', '.LEGAL.txt'].map((end) => `dist/functions/${name}/lambda.cjs${end}`);
    expect(files).toEqual(expect.arrayContaining(own));
    const others = files.filter((file) => !own.includes(file));
    expect(others.filter((file) => !file.startsWith('pipelines/'))).toEqual([]);
    expect(others.length > 0).toBe(facts.pipelines.some((pipeline) => pipeline.name === name));
  }
});

describe('what is wrong is told before anything is deployed', () => {
  test('a variable that must be set', () => {
    const { STORE_URL: _, ...rest } = required();
    const { status, stdout, stderr } = pack(folder, rest);
    expect([status, stdout + stderr]).toEqual([1, expect.stringContaining('STORE_URL')]);
  });
});

test('no secret has a default, and none stands in the file', () => {
  const [file] = [...serverless(facts)];
  for (const { name, setting } of facts.functions.flatMap(environmentOf))
    if (setting.secret) expect(file?.[1]).not.toMatch(new RegExp(`env:${name}, ''[^']`));
});

test('events that a function asks for by type come from the bus by way of its queue', () => {
  const [first] = facts.functions.filter(({ kind }) => kind === 'pipeline');
  const asking = { ...(first as NonNullable<typeof first>), on: ['user.created', 'user.moved'] };
  const own = path.join(folder, 'on');
  cpSync(path.join(folder, 'dist'), path.join(own, 'dist'), { recursive: true });
  writeFileSync(
    path.join(own, 'serverless.yml'),
    toYaml(serverlessService({ ...facts, functions: [asking] })),
  );
  const { status, stdout, stderr } = pack(own, required());
  expect([status, stdout + stderr]).toEqual([0, expect.any(String)]);
  const { Resources } = JSON.parse(
    readFileSync(path.join(own, 'out/cloudformation-template-update-stack.json'), 'utf8'),
  ) as Template;
  expect(Resources.SignupRule).toMatchObject({
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { 'detail-type': ['user.created', 'user.moved'] },
      Targets: [{ Arn: { 'Fn::GetAtt': ['SignupQueue', 'Arn'] } }],
    },
  });
  expect(Resources.SignupQueuePolicy?.Properties.PolicyDocument.Statement).toEqual([
    expect.objectContaining({
      Action: 'sqs:SendMessage',
      Principal: { Service: 'events.amazonaws.com' },
      Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['SignupRule', 'Arn'] } } },
    }),
  ]);
});
