/** Cases of all shapes, none of which hangs on who of two comes first. */
import fc from 'fast-check';
import { randomOf } from '../../../support/random';
import type { Answer, Called, Case, CaseStep } from './case';
import { type Disturbance, expected, NONE } from './model';

export interface Profile {
  /** All times are multiples of it, but those of what comes from outside, which lie between; ms, even. */
  readonly grid: number;
  /** How much later than said an engine may be with anything; ms. 0: never. */
  readonly lateness: number;
  /** Waits of minutes too. */
  readonly long: boolean;
  /** Whether there are deadlines and cancels, and waits that nobody answers; else all are answered at once. */
  readonly meddling: boolean;
  /** A case that takes longer is none, ms. @default as long as it takes */
  readonly most?: number;
}

/** For time that a test moves: exact, and an hour costs nothing. */
export const STILL: Profile = { grid: 100, lateness: 0, long: true, meddling: true };

/** For an engine that is killed meanwhile: whatever comes late, it comes to the same. */
export const KILLED: Profile = { grid: 2, lateness: 10_000, long: false, meddling: false };

/** Longer than any case takes, ms. */
const AMPLE = 600_000;

const FIELDS = ['f0', 'f1', 'f2', 'f3'] as const;

/** From well to hopeless; the first is what shrinking ends at. */
const STATUSES: fc.Arbitrary<Answer['status']> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Answer['status']>(200, 204) },
  {
    weight: 10,
    arbitrary: fc.constantFrom<Answer['status']>(503, 500, 429, 408, 409, 425, 'drop'),
  },
  { weight: 2, arbitrary: fc.constantFrom<Answer['status']>(422, 400, 404, 410, 302) },
);

/** In one of so many. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, many: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: many - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const callOf = ({ grid, long, lateness }: Profile): fc.Arbitrary<Called> => {
  const times = (most: number) => fc.integer({ min: 1, max: most }).map((count) => count * grid);
  const answer: fc.Arbitrary<Answer> = fc.record(
    {
      status: STATUSES,
      takes: times(8),
      ...(long && { retryAfter: fc.integer({ min: 0, max: 3 }) }),
    },
    { requiredKeys: ['status', 'takes'] },
  );
  return fc
    .record({
      answers: fc.array(answer, { maxLength: 4 }),
      attempts: fc.integer({ min: 1, max: 4 }),
      backoff: times(5),
      maxBackoff: fc.oneof(times(10), times(long ? 1_200 : 10)),
      // Never at the same instant as an answer; and where things are late, a call must have come before it is given up.
      timeout: (lateness === 0
        ? rarely(
            times(6).map((ms) => ms + grid / 2),
            6,
          )
        : fc.constant(undefined)
      ).map((ms) => ms ?? AMPLE),
    })
    .map((call) => ({ ...call, maxBackoff: Math.max(call.backoff, call.maxBackoff) }));
};

const when: fc.Arbitrary<CaseStep['when']> = fc.oneof(
  fc.constantFrom(...FIELDS).map((field) => `/${field}`),
  fc.record({
    pointer: fc.constantFrom(...FIELDS).map((field) => `/${field}`),
    equals: fc.constantFrom('x', 0, true, false, null, ''),
  }),
);

const value = fc.constantFrom<unknown>('x', true, false, null, '', 0, 1, [], {}, ['x'], {
  a: null,
});

/** Whether the step at `index` waits for the one at `other`, by the shape of the graph. */
const SHAPES: Readonly<Record<string, (index: number, other: number, count: number) => boolean>> = {
  apart: () => false,
  chain: (index, other) => other === index - 1,
  out: (_, other) => other === 0,
  in: (index, _, count) => index === count - 1,
  diamond: (index, other, count) => other === 0 || index === count - 1,
  pairs: (index, other) => Math.floor(other / 2) === Math.floor(index / 2) - 1,
};

interface Draft extends Called {
  readonly to: CaseStep['to'];
  readonly wants: readonly boolean[];
  readonly optional: boolean;
  readonly when: CaseStep['when'] | undefined;
  readonly delay: number | undefined;
  readonly undo: Called | undefined;
  /** A wait that does not end by itself. */
  readonly patient: boolean;
}

const draftOf = (profile: Profile): fc.Arbitrary<Draft> => {
  const { grid, long, lateness, meddling } = profile;
  const call = callOf(profile);
  const short = fc.integer({ min: 1, max: 20 }).map((count) => count * grid);
  return fc
    .tuple(
      call,
      fc.record({
        to: fc.oneof(
          { weight: 12, arbitrary: fc.constantFrom<CaseStep['to']>('function', 'webhook') },
          { weight: 1, arbitrary: fc.constantFrom<CaseStep['to']>('unset') },
          { weight: 2, arbitrary: fc.constantFrom<CaseStep['to']>('wait') },
        ),
        wants: fc.array(fc.boolean(), { minLength: 11, maxLength: 11 }),
        optional: fc.boolean(),
        when: rarely(when, 5),
        delay: rarely(
          long
            ? fc.oneof(
                short,
                short.map((ms) => ms * 60),
              )
            : short,
          7,
        ),
        undo: rarely(call, 2),
        patient: lateness > 0 && meddling ? fc.boolean() : fc.constant(lateness > 0),
      }),
    )
    .map(([called, rest]) => ({ ...called, ...rest }));
};

/** How dense a random graph is; or one of the shapes. */
const shape = fc.oneof(fc.constantFrom(...Object.keys(SHAPES)), fc.constantFrom('sparse', 'dense'));

const stepsOf = (drafts: readonly Draft[], shaped: string, { grid }: Profile): CaseStep[] => {
  const steps: CaseStep[] = [];
  drafts.forEach((draft, index) => {
    const { to, wants, optional, when: condition, delay, undo, patient, ...called } = draft;
    const isBehind = (other: number): boolean => {
      const isWanted = wants[other % wants.length] as boolean;
      if (shaped === 'dense') return isWanted;
      if (shaped === 'sparse') return isWanted && wants[(other + index) % wants.length] === false;
      return SHAPES[shaped]?.(index, other, drafts.length) as boolean;
    };
    const before = steps.filter((_, other) => isBehind(other));
    steps.push({
      ...called,
      name: `s${index + 1}`,
      to,
      after: before.map(({ name }) => name),
      // What may be missing cannot be needed.
      required: !optional && before.every(({ required }) => required),
      ...(condition !== undefined && { when: condition }),
      ...(to === 'wait'
        ? { timeout: patient ? AMPLE : Math.max(4, called.backoff / grid) * 4 * grid + grid / 2 }
        : {
            ...(delay !== undefined && { delay }),
            ...(undo && { undo }),
          }),
    });
  });
  return steps;
};

const drawn = (profile: Profile): fc.Arbitrary<Case> => {
  const { grid, meddling, lateness } = profile;
  const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
    meddling ? rarely(arbitrary, 9) : fc.constant(undefined);
  /** Between the instants of everything else. */
  const outside = (offset: number, most: number) =>
    fc.integer({ min: 0, max: most }).map((count) => Math.round((count + offset) * grid));
  return fc
    .record({
      drafts: fc.array(draftOf(profile), { minLength: 1, maxLength: 12, size: 'max' }),
      shape,
      input: fc.dictionary(fc.constantFrom(...FIELDS), value),
      deadline: seldom(outside(0.75, 60).map((ms) => (ms < 1_000 ? 1_000 + ms : ms))),
      cancelAt: seldom(outside(0.25, 30)),
      signals: fc.array(fc.record({ which: fc.nat(11), at: outside(0.6, 40) }), { maxLength: 4 }),
    })
    .map(({ drafts, shape: shaped, input, deadline, cancelAt, signals }) => {
      const steps = stepsOf(drafts, shaped, profile);
      const waits = steps.filter(({ to }) => to === 'wait');
      const told = meddling
        ? signals.flatMap(({ which, at }) => {
            const step = waits[which % waits.length]?.name;
            return step === undefined ? [] : [{ step, at }];
          })
        : waits.map(({ name }) => ({ step: name, at: 0 }));
      const answered = new Set(told.map(({ step }) => step));
      return {
        steps: steps
          .map((step) =>
            // With an answer on its way, late or not, who would give up first?
            lateness > 0 && answered.has(step.name) ? { ...step, timeout: AMPLE } : step,
          )
          .map((step) =>
            deadline !== undefined && (step.delay ?? 0) > deadline
              ? { ...step, delay: deadline - grid / 4 }
              : step,
          ),
        input: { ...input },
        ...(deadline !== undefined && { deadline }),
        ...(cancelAt !== undefined && { cancelAt }),
        signals: told,
      };
    });
};

/** The model without times, for a profile where they may differ. */
const outcomeOf = (case_: Case, disturbance: Disturbance): string => {
  const { state, steps, deliveries } = expected(case_, disturbance);
  const counts = Object.entries(deliveries).map(([key, times]) => [key, times.length]);
  return JSON.stringify([state, steps, Object.fromEntries(counts.sort())]);
};

/** Everything somewhat late; only the run's own; only what comes from outside; each either on time or as late as can be. */
const KINDS: readonly ((random: number, isOutside: boolean) => number)[] = [
  (random) => random,
  (random, isOutside) => (isOutside ? 0 : random),
  (random, isOutside) => (isOutside ? random : 0),
  (random) => Math.round(random),
];

/** Deterministic: the same case is always judged the same way. */
const disturbances = ({ lateness }: Profile): readonly Disturbance[] =>
  Array.from({ length: lateness === 0 ? 24 : 32 }, (_, index) => {
    const random = randomOf(index + 1);
    const kind = KINDS[index % KINDS.length] as (typeof KINDS)[number];
    return {
      late: (isOutside) => (lateness === 0 ? 0 : lateness * kind(random(), isOutside)),
      order: random,
    };
  });

/** Whether it comes to the same whoever of several is first, and however late each of them is. */
export const isCertain = (case_: Case, profile: Profile): boolean => {
  // With nothing at once and nothing late there is one course only.
  if (profile.lateness === 0 && !expected(case_).ties) return true;
  const told = outcomeOf(case_, NONE);
  return disturbances(profile).every((disturbance) => outcomeOf(case_, disturbance) === told);
};

export const cases = (profile: Profile): fc.Arbitrary<Case> =>
  drawn(profile).filter(
    (case_) =>
      isCertain(case_, profile) &&
      (profile.most === undefined || expected(case_).endsAt <= profile.most),
  );
