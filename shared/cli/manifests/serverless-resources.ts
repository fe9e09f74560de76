/** What a function on AWS has beside its code: a role that may no more than it must, and a queue for its events. */
import type { AnyFunction } from '../../define';
import type { Plain } from '../../pipeline/export/yaml';

type Resources = Readonly<Record<string, Plain>>;

/** Of its resources: `create-user` is `CreateUser`. */
export const logicalName = ({ name }: { readonly name: string }): string =>
  name.replace(/(?:^|-+)([a-z\d]?)/g, (_, first: string) => first.toUpperCase());

/** What the tool, or CloudFormation, puts there. */
export const variable = (address: string): string => `\${${address}}`;

/** In the account. */
export const functionName = ({ name }: { readonly name: string }): string =>
  `${variable('self:service')}-${variable('sls:stage')}-${name}`;

/** Those that are events by kind, and those that say which they want. */
export const takesEvents = ({ kind, on = [] }: AnyFunction): boolean =>
  kind === 'event' || on.length > 0;

/** Tries before a message is laid aside, and how long it is kept then, s. */
const TRIES = 5;
const KEPT = 1_209_600;

/** It writes its own log and, where it has a queue, reads that. */
export const roleOf = (declaration: AnyFunction): Resources => {
  const statements: Plain[] = [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: {
        'Fn::Sub': `arn:${variable('AWS::Partition')}:logs:${variable('AWS::Region')}:${variable('AWS::AccountId')}:log-group:/aws/lambda/${functionName(declaration)}:*`,
      },
    },
  ];
  if (takesEvents(declaration))
    statements.push({
      Effect: 'Allow',
      Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      Resource: arnOf(`${logicalName(declaration)}Queue`),
    });
  return {
    [`${logicalName(declaration)}Role`]: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: policy([
          {
            Effect: 'Allow',
            Principal: { Service: 'lambda.amazonaws.com' },
            Action: 'sts:AssumeRole',
          },
        ]),
        Policies: [{ PolicyName: declaration.name, PolicyDocument: policy(statements) }],
      },
    },
  };
};

/** A message is hidden for six times as long as it may be worked on, as AWS advises. `timeout` in s. */
export const queuesOf = (declaration: AnyFunction, timeout: number): Resources => {
  const name = logicalName(declaration);
  const queue = `${name}Queue`;
  const deadLetters = `${name}DeadLetters`;
  return {
    [queue]: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        VisibilityTimeout: 6 * timeout,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: arnOf(deadLetters), maxReceiveCount: TRIES },
      },
    },
    [deadLetters]: {
      Type: 'AWS::SQS::Queue',
      Properties: { MessageRetentionPeriod: KEPT, SqsManagedSseEnabled: true },
    },
    ...(declaration.on && declaration.on.length > 0 && rulesOf(name, declaration.on)),
  };
};

/** Events of these types go from the account's own bus into the queue. */
const rulesOf = (name: string, types: readonly string[]): Resources => ({
  [`${name}Rule`]: {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { 'detail-type': types },
      Targets: [{ Id: name, Arn: arnOf(`${name}Queue`) }],
    },
  },
  [`${name}QueuePolicy`]: {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: `${name}Queue` }],
      PolicyDocument: policy([
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: arnOf(`${name}Queue`),
          Condition: { ArnEquals: { 'aws:SourceArn': arnOf(`${name}Rule`) } },
        },
      ]),
    },
  },
});

const arnOf = (resource: string): Plain => ({ 'Fn::GetAtt': [resource, 'Arn'] });

const policy = (statements: readonly Plain[]): Plain => ({
  Version: '2012-10-17',
  Statement: statements,
});
