import { expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import { sharedGoneTargets } from '../../../../shared/pipeline/engines/restate/gone-targets';
import type { Ingress } from '../../../../shared/pipeline/engines/restate/ingress';
import { testContext } from '../../../support/invoke';
import { manualClock } from '../../../support/manual-clock';

test('a target that says it is gone while Restate is away is gone here, and what the attempt ended with stands', async () => {
  const { log, lines } = testContext();
  const ingress = {
    call: () => Promise.reject(new Failure('engine_unavailable')),
  } as unknown as Ingress;
  const clock = manualClock();
  const targets = sharedGoneTargets({ ingress, names: { targets: 'targets' }, clock, log });
  await expect(targets.add('CRM_WEBHOOK_URL')).resolves.toBeUndefined();
  expect(targets.has('CRM_WEBHOOK_URL')).toBe(true);
  expect(lines.map(({ message }) => message)).toEqual(['gone_target_not_kept']);
});
