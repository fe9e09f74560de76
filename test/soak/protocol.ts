/** What is said between a campaign and the host that it kills. One line of JSON each. */
import type { Run } from '../../shared/pipeline/run';
import type { Case } from '../shared/pipeline/conformance/case';

export interface Named {
  /** Of the pipeline; and the idempotency key of its one run. */
  readonly name: string;
  readonly case: Case;
}

/** The journal of a local engine; or where Restate is, and the port on which it calls the host. */
export type EngineAt =
  | { readonly path: string }
  | { readonly ingressUrl: string; readonly adminUrl: string; readonly port: number };

/** `killAt`: at the how manieth boundary from now on the host kills itself. @default it lives */
export type Wish = { readonly killAt?: number | undefined } & (
  | { readonly kind: 'open'; readonly engine: EngineAt; readonly url: string }
  /** Starts them all, or again under the same keys, and waits for their ends. */
  | { readonly kind: 'play'; readonly pipelines: readonly Named[] }
);

export type Told =
  | { readonly kind: 'opened' }
  | { readonly kind: 'accepted'; readonly name: string; readonly id: string }
  /** As a watcher sees it. */
  | { readonly kind: 'seen'; readonly name: string; readonly run: Run }
  | { readonly kind: 'ended'; readonly name: string; readonly run: Run }
  | { readonly kind: 'done'; readonly boundaries: number }
  | { readonly kind: 'failed'; readonly message: string };

export type ToldOf<T extends { readonly kind: string }, K extends T['kind']> = Extract<
  T,
  { readonly kind: K }
>;
