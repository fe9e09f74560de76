/**
 * What an audit event may say: a closed list of fields a type, and of values a field. Whatever else it is given, a code,
 * a number, an address or a provider's sentence, is left out, by whatever mistake it came there.
 */
import type { Channel } from './challenge';

type Rule<T> = (value: unknown) => value is T;

const word =
  <const W extends string>(...words: readonly W[]): Rule<W> =>
  (value): value is W =>
    (words as readonly unknown[]).includes(value);

const integer =
  (least: number, most: number): Rule<number> =>
  (value): value is number =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const channel: Rule<Channel> = word('sms', 'mail', 'totp', 'recovery');
/** Callers choose it: a name, with too few digits for any code or number. */
const purpose: Rule<string> = (value): value is string =>
  typeof value === 'string' && /^(?!(?:.*\d){4})[a-z\d][a-z\d_.-]{0,39}$/.test(value);
/** ISO 3166-1 alpha-2; `*`: none. */
const country: Rule<string> = (value): value is string =>
  typeof value === 'string' && /^(?:[A-Z]{2}|\*)$/.test(value);
/** Of Twilio and SMTP alike they have three to five digits. */
const providerCode = integer(100, 99_999);

const about = { channel, purpose } as const;
const BUDGETS = ['user', 'destination', 'address', 'prefix', 'country', 'spend'] as const;

export const AUDIT_FIELDS = {
  challenge_issued: { ...about, country },
  /** No message goes out, though the answer does not show it. */
  challenge_suppressed: { ...about, country, reason: word(...BUDGETS, 'unknown') },
  code_resent: { ...about, country },
  send_state: {
    ...about,
    country,
    providerCode,
    state: word('reserved', 'sending', 'accepted', 'delivered', 'failed', 'unknown', 'suppressed'),
  },
  verified: about,
  verification_failed: {
    ...about,
    attemptsLeft: integer(0, 5),
    reason: word('wrong', 'closed', 'used'),
  },
  token_redeemed: about,
  token_refused: about,
  factor_enrolled: { channel },
  factor_confirmed: { channel },
  recovery_codes_made: {},
  recovery_code_used: about,
  /** A weaker channel was taken than the user has. */
  downgrade: { ...about, available: channel },
  budget_refused: { ...about, country, reason: word(...BUDGETS) },
  callback_refused: { reason: word('unsigned', 'not_the_providers') },
  registration_failed: about,
} as const satisfies Readonly<Record<string, Readonly<Record<string, Rule<unknown>>>>>;

type Types = typeof AUDIT_FIELDS;
type Name = keyof Types;
type ValueOf<R> = R extends Rule<infer T> ? T : never;
/** What is said in one word of the event, it must say. */
type Needed = 'reason' | 'state';

type FieldsOf<F> = {
  readonly [K in keyof F as K extends Needed ? K : never]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as K extends Needed ? never : K]?: ValueOf<F[K]> | undefined;
};

/** Of whom it speaks. Given as they are; what is written is a keyed reference of each. */
export interface AuditSubject {
  /** Its id. @default none */
  readonly challenge?: string | undefined;
  /** As the caller named them. @default nobody */
  readonly user?: string | undefined;
}

export type AuditEvent = {
  [N in Name]: { readonly type: N } & AuditSubject & FieldsOf<Types[N]>;
}[Name];

/** The fields of an event of a known type that the type has, with the values that they may have. */
export const allowedFields = (event: AuditEvent): Readonly<Record<string, unknown>> => {
  const rules: Readonly<Record<string, Rule<unknown>>> = AUDIT_FIELDS[event.type];
  const given = event as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(rules).flatMap(([name, isAllowed]) => {
      // Read once: what is judged is what is written.
      const value = given[name];
      return isAllowed(value) ? [[name, value]] : [];
    }),
  );
};
