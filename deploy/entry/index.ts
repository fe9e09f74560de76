/** The package's main: every function by its name, for `npx functions-framework --target=NAME` and Cloud Functions. */
import { catalogue } from '../../functions';
import { stockFunctions } from '../../shared/hosts/stock';

// The names are known at run time only (pipelines are files), which ES exports cannot express.
Object.defineProperties(
  module.exports,
  Object.getOwnPropertyDescriptors(stockFunctions(catalogue)),
);
