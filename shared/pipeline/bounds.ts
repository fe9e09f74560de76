/** Between what the durations of a pipeline file lie, both ends included; ms. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const BOUNDS = {
  /** No platform holds a call open for longer. */
  timeout: { least: 1, most: 10 * MINUTE },
  /** A longer wait is no retry but a schedule. */
  backoff: { least: 1, most: HOUR },
  maxBackoff: { least: 1, most: DAY },
  /** Of a step; and not beyond the deadline of the run. */
  delay: { least: 1, most: 365 * DAY },
  /** Of a step that waits for an answer; and not beyond the deadline of the run. */
  wait: { least: 1, most: 365 * DAY },
  deadline: { least: SECOND, most: 365 * DAY },
  retention: { least: MINUTE, most: 3_650 * DAY },
} as const satisfies Readonly<Record<string, { readonly least: number; readonly most: number }>>;
