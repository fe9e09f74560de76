/**
 * A batch out of a queue: each message is an event of its own, and only those that were not taken come again.
 *
 * Fails closed: whatever is not surely done is a failure, so that the queue sends it again, and in the end lays it aside. In
 * a FIFO queue whatever stands behind a failure of its group waits, too, so that nothing overtakes it.
 */
import { type Delivery, recordDelivery } from './delivery';
import type { Invocation } from './invocation';
import type { QueueRecord } from './kind';

/** Brings one event to its function; rejects when it was not taken. */
export type Accept = (delivery: Delivery, invocation: Invocation) => Promise<unknown>;

/** Messages that are in hand at once. */
const WIDTH = 10;

/** What the queue waits for, as ReportBatchItemFailures asks. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export const answerBatch = async (
  records: readonly QueueRecord[],
  accept: Accept,
  invocation: Invocation,
): Promise<BatchAnswer> => {
  const failed = new Set<QueueRecord>();
  /** Resolves whether it was taken. */
  const take = async (record: QueueRecord): Promise<boolean> => {
    try {
      if (invocation.stopped.aborted) throw invocation.stopped.reason;
      await accept(recordDelivery(record), invocation);
      return true;
    } catch (thrown) {
      failed.add(record);
      invocation.warn('message_left', { message: record.messageId, reason: String(thrown) });
      return false;
    }
  };
  const lanes = lanesOf(records);
  const work = async (): Promise<void> => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift())
      for (const [at, record] of lane.entries())
        if (!(await take(record))) {
          for (const later of lane.slice(at + 1)) failed.add(later);
          break;
        }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return {
    batchItemFailures: records
      .filter((record) => failed.has(record))
      .map(({ messageId }) => ({ itemIdentifier: messageId })),
  };
};

/** Messages that must come one after the other; without a group each is by itself. */
const lanesOf = (records: readonly QueueRecord[]): QueueRecord[][] => {
  const groups = new Map<string, QueueRecord[]>();
  const lanes: QueueRecord[][] = [];
  for (const record of records) {
    const known = record.group === undefined ? undefined : groups.get(record.group);
    if (known) known.push(record);
    else {
      const lane = [record];
      lanes.push(lane);
      if (record.group !== undefined) groups.set(record.group, lane);
    }
  }
  return lanes;
};
