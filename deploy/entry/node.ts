/** `node dist/node.cjs`: the suite on the node host. */
import { catalogue } from '../../functions';
import { runNode } from '../../shared/hosts/node';

void runNode(catalogue);
