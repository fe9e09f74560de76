import { edgeHandler } from '../../../shared/hosts/edge';
import { probeJson, probeStream } from './functions';

export default edgeHandler(probeJson, probeStream);
