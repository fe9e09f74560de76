/** The node host: node:http and nothing else. The production lane for Knative and Cloud Run. */
import type { Catalogue } from '../suite/suite';
import { run } from './run';

export const runNode = (catalogue: Catalogue): Promise<void> => run({ host: 'node', catalogue });
