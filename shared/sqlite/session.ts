/** An open file with its queue of writes. Fails closed: a file that cannot be read is not opened. */
import { systemClock } from '../clock';
import type { Failure } from '../failure';
import { connect, isBusy, type OwnConnection } from './connection';
import { type GroupCommit, groupCommit } from './group-commit';
import { makeFile, prepare, type Shape } from './prepare';

export interface SessionOptions extends Shape {
  /** How long to wait for a lock of another process, in ms. */
  readonly wait: number;
  /** The failure for an outage of the file, with what is to be told as its cause. */
  readonly unavailable: (error: unknown, cause?: unknown) => Failure;
}

export interface Session {
  readonly connection: OwnConnection;
  readonly group: GroupCommit;
  /** What is in the way of writing, when the file can only be read; nothing may be written then. */
  readonly refusal: unknown;
}

export const openSession = async (options: SessionOptions): Promise<Session> => {
  const { file, wait, unavailable } = options;
  let connection: OwnConnection | undefined;
  try {
    await makeFile(file);
    const opened = await connect(file);
    connection = opened;
    const refusal = await patiently(wait, () => prepare(opened, options));
    return {
      connection: opened,
      group: groupCommit({ connection: opened, wait, unavailable }),
      refusal,
    };
  } catch (error) {
    connection?.close();
    throw unavailable(error, new Error(`cannot open ${file}`, { cause: error }));
  }
};

/** Tries again while another process is in the way, for `wait` ms; everything it is used for may run twice. */
export const patiently = async <T>(wait: number, act: () => T): Promise<T> => {
  const end = performance.now() + wait;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error;
      await systemClock.sleep(pause);
    }
  }
};
