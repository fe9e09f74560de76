/** What is said between a crash campaign and the process of two-factor that it kills. One line of JSON each. */

/** For the whole life of a process. */
export interface Peers {
  readonly twilio: {
    readonly accountSid: string;
    readonly authToken: string;
    readonly baseUrl: string;
  };
  readonly smtp: string;
  /** As it would stand in the environment. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface When {
  /** By how much time is ahead of the machine's, ms. */
  readonly ahead: number;
  /** At the how manieth point from now on the process kills itself. @default it lives */
  readonly killAt?: number | undefined;
}

export interface Ask {
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Order = When &
  (
    | { readonly kind: 'open'; readonly url: string }
    | ({ readonly kind: 'ask' } & Ask)
    /** One pass over the queue, as the worker makes it. */
    | { readonly kind: 'pass' }
    /** What the store holds of this challenge, and of all that was counted. */
    | { readonly kind: 'books'; readonly challenge: string }
  );

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Books {
  /** Messages that wait in the queue. */
  readonly queue: number;
  /** States of the challenge's messages. */
  readonly sends: readonly string[];
  /** What was taken within the hour, by limit. */
  readonly taken: Readonly<Record<string, number>>;
  /** Guesses held for the user and for the destination. */
  readonly held: Readonly<Record<string, number>>;
}

export type Told =
  | { readonly kind: 'audit'; readonly event: string }
  /** A code was about to be compared, or its MAC to be made. */
  | { readonly kind: 'mac' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'books'; readonly books: Books }
  | { readonly kind: 'done'; readonly points: number }
  | { readonly kind: 'failed'; readonly message: string };
