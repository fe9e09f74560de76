/** `faas-patterns/hosts/lambda`: a catalogue as the handler of a Lambda function. */
export { type LambdaHandler, type LambdaOptions, lambdaHandler } from '../../shared/hosts/lambda';
