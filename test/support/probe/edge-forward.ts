import { edgeHandler } from '../../../shared/hosts/edge';
import { probeForward } from './forward';

export default edgeHandler(probeForward);
