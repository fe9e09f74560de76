import { expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import { isUnsent, sendFailure } from '../../../shared/senders/send-failure';

test('a message is unsent only where a sender vouches for it', () => {
  const facts = { sender: 'smtp', reason: 'EENVELOPE' } as const;
  expect(isUnsent(sendFailure('send_failed', { ...facts, unsent: true }))).toBe(true);
  expect(isUnsent(sendFailure('send_refused', { ...facts, unsent: true }))).toBe(true);
  expect(isUnsent(sendFailure('send_failed', { ...facts, unsent: false }))).toBe(false);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a word', 'send_refused'],
  ['an error of another kind', new Error('x', { cause: { unsent: true } })],
  ['an object that looks like one', { code: 'send_failed', cause: { unsent: true } }],
  ['a failure without facts', new Failure('send_failed')],
  ['a failure of the store', new Failure('store_unavailable', { cause: new Error('x') })],
  ['a failure with a word for a cause', new Failure('send_failed', { cause: 'unsent' })],
  ['a failure whose facts do not say yes', new Failure('send_failed', { cause: { unsent: 1 } })],
])('nothing is vouched for by %s', (_, thrown) => {
  expect(isUnsent(thrown)).toBe(false);
});
