/** `faas-patterns/functions`: the functions of this package, to be served beside one's own. */
export { catalogue } from '../../functions';
