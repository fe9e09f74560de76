/** A process with the engine on Restate, to be killed by others, or to see its servers being killed. */
import { systemClock } from '../../shared/clock';
import { restateEngine } from '../../shared/pipeline/engines/restate/engine';
import { systemRandom } from '../../shared/random';
import { testContext } from '../support/invoke';
import { callsTo, obey } from './child-loop';

obey(async ({ engine, url }) => {
  if ('path' in engine) throw new TypeError('this is the engine on Restate');
  const { ingressUrl, adminUrl, port } = engine;
  return restateEngine({
    ingressUrl,
    adminUrl,
    ownUrl: () => '',
    listen: { port, host: '127.0.0.1' },
    ...callsTo(url),
    clock: systemClock,
    random: systemRandom,
    log: testContext().log,
  });
});
