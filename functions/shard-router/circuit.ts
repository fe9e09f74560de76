/**
 * How well a server is: pure decisions over what requests to it, and active checks of it, came to, and the time.
 *
 * One that fails again and again is left alone for a while; then exactly one request, or an active check, says whether it
 * is well again. What began before says nothing of now, so that the many that fail together open it once, and those that
 * fail late do not open it again. It fails open: a server that nothing is known of is well.
 */
import type { Outcome } from './choice';

export interface Circuit {
  /** Requests that failed, in a row. */
  readonly failures: number;
  /** Active checks that failed, in a row: counted apart, as requests that are answered do not make up for those. */
  readonly misses: number;
  /** Begins anew with each request that is to decide, and when it closes: what began in another says nothing of now. */
  readonly period: number;
  /** Open, until then at least. @default closed */
  readonly retryAt?: number;
  /** Since when a request is under way that decides. @default there is none */
  readonly probedAt?: number;
}

export interface CircuitLimits {
  /** In a row, before it opens. */
  readonly failures: number;
  /** How long it stays open, ms. */
  readonly openFor: number;
  /** How long after that an active check is left to decide alone, ms; then a request may as well. */
  readonly checkFor: number;
  /** A request that decides is given up after this, ms, and another one may. */
  readonly probeFor: number;
}

export const WELL: Circuit = { failures: 0, misses: 0, period: 0 };

export const isClosed = ({ retryAt }: Circuit): boolean => retryAt === undefined;

/** For how many ms it stays open yet; 0 of one that may be tried, or is closed. A clock that was set back keeps none open for good. */
export const restOf = ({ retryAt = 0 }: Circuit, limits: CircuitLimits, now: number): number =>
  retryAt - now > 2 * limits.openFor ? 0 : Math.max(retryAt - now, 0);

export const phaseOf = (
  circuit: Circuit,
  limits: CircuitLimits,
  now: number,
): 'closed' | 'open' | 'half-open' => {
  if (isClosed(circuit)) return 'closed';
  return restOf(circuit, limits, now) > 0 ? 'open' : 'half-open';
};

/** Whether a request may go to one that is not closed, as the one that decides. */
export const mayProbe = (circuit: Circuit, limits: CircuitLimits, now: number): boolean => {
  const { retryAt, probedAt } = circuit;
  if (retryAt === undefined || restOf(circuit, limits, now) > 0) return false;
  if (probedAt !== undefined) return Math.abs(now - probedAt) >= limits.probeFor;
  return now >= retryAt + limits.checkFor || now < retryAt;
};

/** A request is under way that decides. */
export const probing = (circuit: Circuit, now: number): Circuit => ({
  ...circuit,
  period: circuit.period + 1,
  probedAt: now,
});

export interface Settled {
  readonly outcome: Outcome;
  /** Of the circuit, when the request began. */
  readonly period: number;
  readonly probe: boolean;
}

/** The head of an answer has come, or none will. */
export const settled = (
  circuit: Circuit,
  { outcome, period, probe }: Settled,
  limits: CircuitLimits,
  now: number,
): Circuit => {
  const decides = probe && circuit.probedAt !== undefined;
  if (period !== circuit.period || !(decides || isClosed(circuit))) return circuit;
  if (outcome === 'left') return decides ? released(circuit) : circuit;
  if (outcome === 'answered') {
    if (decides) return closed(circuit);
    return circuit.failures === 0 ? circuit : { ...circuit, failures: 0 };
  }
  return failed({ ...circuit, failures: circuit.failures + 1 }, limits, now);
};

/** An active check has ended. While the circuit is open for its time, it says nothing that counts. */
export const checked = (
  circuit: Circuit,
  healthy: boolean,
  limits: CircuitLimits,
  now: number,
): Circuit => {
  if (phaseOf(circuit, limits, now) === 'open') return circuit;
  if (!healthy) return failed({ ...circuit, misses: circuit.misses + 1 }, limits, now);
  if (!isClosed(circuit)) return closed(circuit);
  return circuit.misses === 0 ? circuit : { ...circuit, misses: 0 };
};

const failed = (circuit: Circuit, limits: CircuitLimits, now: number): Circuit => {
  const { failures, misses, period } = circuit;
  // Of one that is not closed they were enough before.
  if (Math.max(failures, misses) < limits.failures) return circuit;
  return { failures, misses, period, retryAt: now + limits.openFor };
};

const closed = ({ period }: Circuit): Circuit => ({ ...WELL, period: period + 1 });

const released = ({ probedAt: _, ...circuit }: Circuit): Circuit => circuit;
