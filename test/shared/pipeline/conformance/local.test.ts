/** The local engine keeps the contract, and ends as the model says. */
import { describeEngine } from '../../../contracts/engine';
import { describeConformance } from '../../../contracts/engine-conformance';
import { STILL } from './generate';
import { createLocalLab } from './local-lab';

describeEngine('local', createLocalLab);
describeConformance('local', createLocalLab, { count: 2_000, atOnce: 250, profile: STILL });
