/** `faas-patterns/hosts/node`: serves a catalogue with node:http, from a start to a drain. */
export { runNode } from '../../shared/hosts/node';
