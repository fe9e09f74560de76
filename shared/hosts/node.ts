/** The node host: node:http and nothing else. The production lane for Knative and Cloud Run. */
import type { Catalogue } from '../suite/suite';
import { type RunOptions, run } from './run';

export const runNode = (
  catalogue: Catalogue,
  options: Pick<RunOptions, 'target'> = {},
): Promise<void> => run({ ...options, host: 'node', catalogue });
