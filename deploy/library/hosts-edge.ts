/** `faas-patterns/hosts/edge`: functions as a worker of workerd. */
export { type EdgeWorker, edgeHandler } from '../../shared/hosts/edge';
