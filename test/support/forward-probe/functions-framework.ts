import { runFunctionsFramework } from '../../../shared/hosts/functions-framework';
import { probes } from './functions';

void runFunctionsFramework(probes);
