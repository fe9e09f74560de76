/** Hosts of the suite on a real Restate server, which test/peers installs. Pinned to no core: the server has many threads. */
import { ANY_CORE, freePort } from '../machine.mjs';
import { bundled } from './bundles.mjs';
import { builtHost, startHost } from './hosts.mjs';
import { answerOf, startNode } from './process.mjs';

export const startRestateServer = async () => {
  const server = startNode([bundled('restate-server')], { ipc: true });
  const { ingressUrl, adminUrl, nodePath } = await answerOf(server);
  return {
    pid: server.pid,
    environment: {
      ENGINE_URL: `restate+${ingressUrl}`,
      RESTATE_ADMIN_URL: adminUrl,
      NODE_PATH: nodePath,
    },
    stop: async () => {
      server.child.disconnect();
      await server.ended;
    },
  };
};

export const HTTP2 = 'node host, Restate, HTTP/2';

/** Restate calls functions-framework request by request; the node host has a port for HTTP/2, in both directions. */
export const HOSTS = {
  'functions-framework host, Restate, request by request': {
    file: builtHost('functions-framework'),
    own: async () => ({}),
  },
  [HTTP2]: {
    file: builtHost('node'),
    own: async () => ({ RESTATE_PORT: `${await freePort()}` }),
  },
};

/** On a server of its own: what others have left there would be in the way. */
export const startOnRestate = async ({ file, own }, { environment, folder }) => {
  const server = await startRestateServer();
  try {
    const host = await startHost(file, {
      environment: { ...environment, ...server.environment, ...(await own()) },
      folder,
      core: ANY_CORE,
    });
    return {
      port: host.port,
      pids: [host.pid, server.pid],
      stop: async () => {
        await host.kill();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
};
