/** An answer on its way through: what has been handed on stays as it was until it is gone. */
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { readAnswerHead } from '../../shared/hosts/forward/answer-head';
import { ForwardedAnswer } from '../../shared/hosts/forwarded-answer';

/** A client that takes its time with every part, and lets many wait. */
class SlowClient extends Writable {
  readonly parts: string[] = [];

  constructor() {
    super({ highWaterMark: 2 ** 24 });
  }

  flushHeaders(): void {}

  override _write(part: Buffer, _encoding: string, done: () => void): void {
    setTimeout(() => {
      this.parts.push(part.toString('latin1'));
      done();
    }, 5);
  }
}

test('large parts that wait for their client are not overwritten by those behind them', async () => {
  const source = { pause: () => {}, resume: () => {}, cancel: () => {} };
  const head = readAnswerHead('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked', false);
  const answer = new ForwardedAnswer(head, source, undefined);
  const client = new SlowClient();
  const written = answer.pipeTo(client as unknown as ServerResponse);
  const letters = [...'abcdefgh'];
  for (const letter of letters) answer.take(Buffer.alloc(40_000, letter));
  await delay(100);
  for (const letter of letters) answer.take(Buffer.alloc(40_000, letter));
  answer.finish();
  await written;
  await new Promise<void>((resolve) => client.end(resolve));
  expect(client.parts).toEqual([...letters, ...letters].map((letter) => letter.repeat(40_000)));
});
