import { runNode } from '../../../shared/hosts/node';
import { probes } from './functions';

void runNode(probes);
