/** `faas-patterns/hosts/functions-framework`: a catalogue on functions-framework, or for its own command line. */
export { runFunctionsFramework } from '../../shared/hosts/functions-framework';
export { stockFunctions } from '../../shared/hosts/stock';
