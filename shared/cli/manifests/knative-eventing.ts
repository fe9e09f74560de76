/** The Broker, a Trigger for each type of event that a function is to be sent, and a SinkBinding for each that sends. */
import type { AnyFunction, Route } from '../../define';
import { deliveryOf } from '../../pipeline/export/knative';
import type { Plain } from '../../pipeline/export/yaml';
import { STEP_DEFAULTS } from '../../pipeline/pipeline';

const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
const DELIVERY = deliveryOf(STEP_DEFAULTS, {
  ref: { apiVersion: 'v1', kind: 'Service', name: 'dead-letters' },
});

export interface Eventing {
  readonly documents: readonly Plain[];
  /** Functions that are to be sent events and cannot be: the Broker has no token to show. */
  readonly unreachable: readonly string[];
}

export const eventing = (
  functions: readonly AnyFunction[],
  objectName: (declaration: AnyFunction) => string,
): Eventing => {
  const takers = functions.filter((declaration) => typesOf(declaration).length > 0);
  const isReachable = ({ callers, routes }: AnyFunction) =>
    ((routes as Record<string, Route>)['POST /']?.callers ?? callers) === 'public';
  return {
    documents: [
      {
        apiVersion: BROKER.apiVersion,
        kind: BROKER.kind,
        metadata: { name: BROKER.name },
        spec: { delivery: DELIVERY },
      },
      ...takers
        .filter(isReachable)
        .flatMap((declaration) => triggers(declaration, objectName(declaration))),
      ...functions
        .filter(({ emits = [] }) => emits.length > 0)
        .map((declaration) => sinkBinding(objectName(declaration))),
    ],
    unreachable: takers.filter((declaration) => !isReachable(declaration)).map(({ name }) => name),
  };
};

/** A pipeline that names no type takes any event that is sent to it; of all in a Broker, those that ask for it. */
const typesOf = ({ name, kind, on = [] }: AnyFunction): readonly string[] =>
  on.length === 0 && kind === 'pipeline' ? [`${name}.request`] : on;

const triggers = (declaration: AnyFunction, name: string): readonly Plain[] =>
  typesOf(declaration).map((type, i) => ({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: i === 0 ? name : `${name}-${i + 1}` },
    spec: {
      broker: BROKER.name,
      filter: { attributes: { type } },
      subscriber: { ref: serviceRef(name) },
      delivery: DELIVERY,
    },
  }));

/** Sets K_SINK. */
const sinkBinding = (name: string): Plain => ({
  apiVersion: 'sources.knative.dev/v1',
  kind: 'SinkBinding',
  metadata: { name },
  spec: { subject: serviceRef(name), sink: { ref: BROKER } },
});

const serviceRef = (name: string) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  name,
});
