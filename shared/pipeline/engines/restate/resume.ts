/** Takes up what nobody carries through any more: runs whose passage was killed, and those that Restate has parked. */
import type { Clock } from '../../../clock';
import type { Log } from '../../../handler';
import type { Admin } from './admin';
import type { Ingress } from './ingress';
import { type Names, SUMMARY } from './stored';
import { isIn } from './summary';

/** In one go; with more, the next start goes on. */
const LIMIT = 10_000;

const parkedIn = ({
  runs,
  keys,
  graphs,
  targets,
}: Names): string => `SELECT id, status, pinned_deployment_id
  FROM sys_invocation
  WHERE target_service_name IN (${[runs, keys, graphs, targets].map((name) => `'${name}'`)})
  AND status IN ('paused', 'backing-off') LIMIT ${LIMIT}`;

/** A passage that ends between the two looks finds, when it begins again, that there is nothing to do. */
const leftIn = ({ runs }: Names): string => `SELECT s.service_key AS id FROM state s
  LEFT JOIN (SELECT target_service_key FROM sys_invocation
    WHERE target_service_name = '${runs}' AND target_handler_name = 'carry' AND status <> 'completed') i
  ON i.target_service_key = s.service_key
  WHERE s.service_name = '${runs}' AND s.key LIKE '${SUMMARY}%'
  AND ${isIn('running')} AND i.target_service_key IS NULL LIMIT ${LIMIT}`;

interface Parked {
  readonly id: string;
  readonly status: 'paused' | 'backing-off';
  readonly pinned_deployment_id?: string;
}

export interface ResumeOptions {
  readonly admin: Admin;
  readonly ingress: Ingress;
  readonly names: Names;
  readonly clock: Clock;
  readonly log: Log;
  /** The id under which this host is known. */
  readonly deployment: string;
  /** Makes the passage of a run that is taken up unlike any other. */
  readonly mark: string;
}

export const resumeLeft = async (options: ResumeOptions): Promise<void> => {
  const { admin, ingress, names, log, mark } = options;
  const parked = await admin.query<Parked>(parkedIn(names));
  // It may be under way by now.
  for (const one of parked)
    await goOn(one, options).catch((error: unknown) =>
      log.info('not_resumed', { invocation: one.id, error }),
    );
  const left = await admin.query<{ readonly id: string }>(leftIn(names));
  for (const { id } of left) await ingress.carry(id, `${id}.${mark}`, null);
  if (parked.length + left.length > 0)
    log.info('runs_resumed', { parked: parked.length, left: left.length });
};

/** What was begun at another address goes on at this one: nobody may be at the other any more. */
const goOn = async (
  { id, status, pinned_deployment_id: pinned }: Parked,
  { admin, clock, deployment }: ResumeOptions,
): Promise<void> => {
  if (pinned === undefined || pinned === deployment) return admin.resume(id);
  // Only what is parked can move.
  if (status !== 'paused') await admin.pause(id);
  for (let left = TRIES; ; left -= 1)
    try {
      return await admin.resume(id, 'latest');
    } catch (error) {
      if (left === 0) throw error;
      await clock.sleep(PAUSE);
    }
};

/** Until it is parked. */
const TRIES = 20;
const PAUSE = 50;
