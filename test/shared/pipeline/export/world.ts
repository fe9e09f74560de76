/** The receivers of a pipeline as a script, and what must hold of the calls that they got, told by our own rules. */
import { expect } from '@jest/globals';
import { buildBody } from '../../../../shared/pipeline/body';
import { isPresent } from '../../../../shared/pipeline/next';
import type { Pipeline, Step } from '../../../../shared/pipeline/pipeline';
import { readPointer } from '../../../../shared/pointer';
import { NO_ANSWER, verdict } from '../../../../shared/retry';
import { ANSWER, type Reaction } from './pipelines';

export interface Request {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** ms */
  readonly at: number;
  /** ms; how long the engine waits. */
  readonly timeout: number;
}

interface Call extends Request {
  readonly step: string;
  readonly status: number | 'none' | 'timeout';
  readonly end: number;
}

export const RUN = 'run-4711';

export class World {
  readonly calls: Call[] = [];

  constructor(readonly script: readonly (readonly Reaction[])[]) {}

  /** What the receiver does, and when that is known. */
  call(request: Request): Pick<Call, 'status' | 'end'> & { readonly body?: unknown } {
    const step = (request.headers['ce-id'] ?? '').replace(`${RUN}:`, '');
    const attempt = this.calls.filter((call) => call.step === step).length;
    const reactions = this.script[Number(step.replace(/\D/g, ''))] ?? [];
    const { status, ms } = reactions[Math.min(attempt, reactions.length - 1)] ?? {
      status: 200,
      ms: 1,
    };
    const isLate = ms > request.timeout;
    const call: Call = {
      ...request,
      step,
      status: isLate ? 'timeout' : status,
      end: request.at + Math.min(ms, request.timeout),
    };
    this.calls.push(call);
    return { status: call.status, end: call.end, ...(call.status === 200 && { body: ANSWER }) };
  }
}

const verdictOf = ({ status }: Call) => verdict(typeof status === 'number' ? status : NO_ANSWER);

export interface Observed {
  readonly pipeline: Pipeline;
  readonly input: unknown;
  readonly world: World;
  readonly outcome: 'succeeded' | 'failed';
  /** What an event looks like here; absent: a POST as any. */
  readonly urlOf: (step: Step) => string;
}

export const check = ({ pipeline, input, world, outcome, urlOf }: Observed): void => {
  const callsOf = (name: string) => world.calls.filter(({ step }) => step === name);
  const hasFailed = ({ name }: Step) => {
    const last = callsOf(name).at(-1);
    return last !== undefined && verdictOf(last) !== 'delivered';
  };
  const broken = pipeline.steps.filter((step) => step.required && hasFailed(step));
  expect(outcome).toBe(broken.length > 0 ? 'failed' : 'succeeded');
  for (const step of pipeline.steps) {
    const calls = callsOf(step.name);
    const [first] = calls;
    if (!isWanted(step, input)) expect(calls).toEqual([]);
    else if (!first) expect(broken).not.toEqual([]);
    if (!first) continue;
    // No edge is broken, nothing begins once the run is lost.
    for (const name of step.after)
      for (const { end } of callsOf(name))
        expect(first.at).toBeGreaterThanOrEqual(end + (step.delay ?? 0));
    for (const { name } of broken)
      if (name !== step.name) expect(first.at).toBeLessThan(callsOf(name).at(-1)?.end ?? 0);
    // As many attempts as there are to be, none too soon.
    const { attempts, backoff, maxBackoff } = step.retry;
    for (const [index, call] of calls.entries()) {
      const isLast = index === calls.length - 1;
      const again = verdictOf(call) === 'again' && index + 1 < attempts;
      expect([step.name, index, isLast]).toEqual([step.name, index, !again]);
      const next = calls[index + 1];
      if (next)
        expect(next.at - call.end).toBeGreaterThanOrEqual(
          Math.min(backoff * 2 ** index, maxBackoff),
        );
      expect(call.url).toBe(urlOf(step));
      expect(call.timeout).toBe(step.timeout);
      expect(call.body).toEqual(
        buildBody(step, { input, answers: (name) => keptOf(callsOf(name), pipeline, name) }),
      );
      expect(call.headers).toEqual({
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': `${RUN}:${step.name}`,
        'ce-type': 'event' in step.target ? step.target.event : `${pipeline.name}.${step.name}`,
        'ce-source': `/${pipeline.name}/runs`,
        'ce-time': new Date(first.at).toISOString(),
        'idempotency-key': `${RUN}:${step.name}`,
      });
    }
  }
};

const isWanted = ({ when }: Step, input: unknown): boolean => {
  if (when === undefined) return true;
  return typeof when === 'string'
    ? isPresent(readPointer(input, when))
    : readPointer(input, when.pointer) === when.equals;
};

const keptOf = (calls: readonly Call[], { steps }: Pipeline, name: string) => {
  if (calls.at(-1)?.status !== 200) return undefined;
  const keep = steps.find((step) => step.name === name)?.keep ?? [];
  return Object.fromEntries(
    keep
      .map((pointer) => [pointer, readPointer(ANSWER, pointer)] as const)
      .filter(([, value]) => value !== undefined),
  );
};
