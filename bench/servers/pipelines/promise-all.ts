/** A driver: five deliveries side by side in the same process, recorded nowhere. */
import { randomId, systemRandom } from '../../../shared/random';
import { deliverAll } from './delivery';
import { drive } from './driver.cjs';
import { INPUT } from './input.cjs';

drive(() => () => deliverAll(randomId(systemRandom), INPUT));
