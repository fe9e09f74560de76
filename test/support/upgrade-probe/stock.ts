import { stockFunctions } from '../../../shared/hosts/stock';
import { probes } from './functions';

Object.defineProperties(module.exports, Object.getOwnPropertyDescriptors(stockFunctions(probes)));
