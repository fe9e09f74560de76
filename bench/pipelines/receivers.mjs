/** The receivers of the webhooks: a process of plain node:http with a port for each of the five. */
import path from 'node:path';
import { freePort } from '../machine.mjs';
import { SOURCES } from './bundles.mjs';
import { answerOf, ask, OTHERS, startNode } from './process.mjs';

const COUNT = 5;
const SECRET = `whsec_${Buffer.alloc(32, 'figures').toString('base64')}`;

export const startReceivers = async ({ core = OTHERS } = {}) => {
  const ports = [];
  while (ports.length < COUNT) ports.push(await freePort());
  const receiver = startNode([path.join(SOURCES, 'receiver.cjs')], {
    core,
    environment: { PORTS: ports.join() },
    ipc: true,
  });
  await answerOf(receiver);
  return {
    /** For who calls them: a pipeline, or our delivery alone. */
    environment: {
      ...Object.fromEntries(
        ports.map((port, i) => [`HOOK_${i + 1}_URL`, `http://127.0.0.1:${port}/hook`]),
      ),
      WEBHOOK_ALLOW: '127.0.0.1',
      WEBHOOK_SECRET: SECRET,
      PIPELINES_DIR: SOURCES,
    },
    /** How they are to behave from now on; what they have seen until now. */
    tell: (behaviour = {}) => ask(receiver, behaviour),
    stop: () => receiver.kill(),
  };
};
