/** `node dist/functions-framework.cjs`: the suite on functions-framework. */
import { catalogue } from '../../functions';
import { runFunctionsFramework } from '../../shared/hosts/functions-framework';

void runFunctionsFramework(catalogue);
