/** A real Restate server as a process, with a message of where it is; it ends with the channel. */
import { RESTATE_NODE_PATH, startRestate } from '../../../test/support/restate';

void startRestate().then((server) => {
  process.on('disconnect', () => void server.stop().then(() => process.exit()));
  const { ingressUrl, adminUrl } = server;
  process.send?.({ ingressUrl, adminUrl, nodePath: RESTATE_NODE_PATH });
});
