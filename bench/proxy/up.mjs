import { connect } from 'node:net';
import { pause } from '../pipelines/process.mjs';

/** Resolves when a process listens; rejects when it ends before, or does not come. */
export const untilUp = async (port, { child }) => {
  for (let left = 400; left > 0 && child.exitCode === null; left--) {
    const isUp = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
    });
    if (isUp) return;
    await pause(25);
  }
  throw new Error(`${child.spawnargs.join(' ')} does not listen`);
};
