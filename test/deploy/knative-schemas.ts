/**
 * Strict JSON Schemas of what deploy/knative may hold: the fields of the resource definitions and the rules of the
 * admission webhooks of Knative Serving and Eventing 1.2x, with no feature switched on, and of Kustomize 5.
 *
 * Stricter than the API where it is lax by need of others: unknown fields are refused everywhere, also where the
 * definitions preserve them, and a container must say what keeps it from doing harm.
 */
import Ajv, { type ValidateFunction } from 'ajv';

type Schema = Readonly<Record<string, unknown>>;

/** An object of these members and no others; `?` at the end of a name: may be missing. */
const object = (members: Readonly<Record<string, unknown>>): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(members).filter((name) => !name.endsWith('?')),
  properties: Object.fromEntries(
    Object.entries(members).map(([name, schema]) => [name.replace(/\?$/, ''), schema]),
  ),
});
const text: Schema = { type: 'string', minLength: 1 };
const list = (items: Schema): Schema => ({ type: 'array', minItems: 1, items });
const integer = (minimum: number, maximum = 2 ** 31 - 1): Schema => ({
  type: 'integer',
  minimum,
  maximum,
});
const is = (value: unknown): Schema => ({ const: value });
const matching = (pattern: string): Schema => ({ type: 'string', pattern });

/** RFC 1123 and, for a Service, also RFC 1035. */
const name: Schema = { ...matching('^[a-z]([a-z0-9-]*[a-z0-9])?$'), maxLength: 63 };
const labels: Schema = {
  type: 'object',
  propertyNames: { pattern: '^([a-z0-9.-]+/)?[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' },
  additionalProperties: matching('^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'),
};
/** A value other than cluster-local is refused there. */
const serviceLabels: Schema = {
  ...labels,
  properties: { 'networking.knative.dev/visibility': is('cluster-local') },
};
const count = matching('^\\d+$');
const autoscaling = object({
  'autoscaling.knative.dev/min-scale?': count,
  'autoscaling.knative.dev/max-scale?': count,
  // Zero only where the cluster allows it.
  'autoscaling.knative.dev/initial-scale?': matching('^[1-9]\\d*$'),
  'autoscaling.knative.dev/target?': matching('^[1-9]\\d*$'),
  'autoscaling.knative.dev/target-utilization-percentage?': matching('^([1-9]\\d?|100)$'),
});

const keyRef = object({ name, key: matching('^[-._a-zA-Z0-9]+$'), 'optional?': is(true) });
const environmentName: Schema = {
  ...matching('^[A-Z_][A-Z0-9_]*$'),
  // Knative sets these.
  not: { enum: ['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'] },
};
const environment: Schema = {
  oneOf: [
    object({ name: environmentName, value: { type: 'string' } }),
    object({
      name: environmentName,
      valueFrom: { oneOf: [object({ configMapKeyRef: keyRef }), object({ secretKeyRef: keyRef })] },
    }),
  ],
};
const httpGet = object({ path: matching('^/') });
const cpu = matching('^(\\d+m|\\d+(\\.\\d+)?)$');
const memory = matching('^\\d+(Ki|Mi|Gi)$');
const container = object({
  image: matching('^[a-z0-9][a-z0-9./:@_-]*$'),
  ports: {
    ...list(object({ name: { enum: ['http1', 'h2c'] }, containerPort: integer(1, 65_535) })),
    maxItems: 1,
  },
  env: list(environment),
  // Without a period there must be no threshold and no timeout.
  readinessProbe: object({ httpGet }),
  livenessProbe: object({
    httpGet,
    periodSeconds: integer(1),
    timeoutSeconds: integer(1),
    failureThreshold: integer(1),
  }),
  resources: object({
    requests: object({ cpu, memory }),
    limits: object({ cpu, memory }),
  }),
  securityContext: object({
    runAsNonRoot: is(true),
    runAsUser: integer(1),
    runAsGroup: integer(1),
    readOnlyRootFilesystem: is(true),
    allowPrivilegeEscalation: is(false),
    capabilities: object({ drop: is(['ALL']) }),
    seccompProfile: object({ type: is('RuntimeDefault') }),
  }),
});

const Service = object({
  apiVersion: is('serving.knative.dev/v1'),
  kind: is('Service'),
  // Annotations of the autoscaler are refused here.
  metadata: object({ name, 'labels?': serviceLabels }),
  spec: object({
    template: object({
      metadata: object({ 'labels?': labels, annotations: autoscaling }),
      spec: object({
        containerConcurrency: integer(0, 1_000),
        timeoutSeconds: integer(1, 600),
        automountServiceAccountToken: is(false),
        enableServiceLinks: is(false),
        containers: { ...list(container), maxItems: 1 },
      }),
    }),
  }),
});

const ref = object({ apiVersion: matching('^([a-z.]+/)?v1$'), kind: text, name });
const destination: Schema = {
  oneOf: [
    object({ ref, 'uri?': matching('^/') }),
    object({ uri: matching('^https?://[a-z0-9.-]+(:\\d+)?(/\\S*)?$') }),
  ],
};
const duration = matching('^P(?=.)(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?$');
const delivery = object({
  retry: integer(0),
  backoffPolicy: { enum: ['exponential', 'linear'] },
  backoffDelay: duration,
  'timeout?': duration,
  'deadLetterSink?': destination,
});
const lostNowhere: Schema = {
  allOf: [delivery, { type: 'object', required: ['deadLetterSink'] }],
};
const metadata = object({
  name,
  'annotations?': { type: 'object', additionalProperties: { type: 'string' } },
});

const Broker = object({
  apiVersion: is('eventing.knative.dev/v1'),
  kind: is('Broker'),
  metadata,
  spec: object({ delivery: lostNowhere }),
});
const Trigger = object({
  apiVersion: is('eventing.knative.dev/v1'),
  kind: is('Trigger'),
  metadata,
  spec: object({
    broker: name,
    filter: object({ attributes: object({ type: text, 'source?': text }) }),
    subscriber: destination,
    // That of a flow is in its branches.
    'delivery?': lostNowhere,
  }),
});
const step: Schema = {
  oneOf: [object({ ref, 'delivery?': delivery }), object({ uri: text, 'delivery?': delivery })],
};
const Sequence = object({
  apiVersion: is('flows.knative.dev/v1'),
  kind: is('Sequence'),
  metadata,
  spec: object({ steps: list(step), 'reply?': destination }),
});
const Parallel = object({
  apiVersion: is('flows.knative.dev/v1'),
  kind: is('Parallel'),
  metadata,
  spec: object({
    branches: list(
      object({
        'filter?': destination,
        subscriber: destination,
        'reply?': destination,
        delivery,
      }),
    ),
    'reply?': destination,
  }),
});
const SinkBinding = object({
  apiVersion: is('sources.knative.dev/v1'),
  kind: is('SinkBinding'),
  metadata,
  spec: object({ subject: ref, sink: object({ ref }) }),
});
const Kustomization = object({
  apiVersion: is('kustomize.config.k8s.io/v1beta1'),
  kind: is('Kustomization'),
  resources: { ...list(matching('^[a-z0-9./-]+\\.yaml$')), uniqueItems: true },
  'images?': list(object({ name: text, 'newName?': text, 'newTag?': text })),
});

const SCHEMAS = {
  Service,
  Broker,
  Trigger,
  Sequence,
  Parallel,
  SinkBinding,
  Kustomization,
} as const;

export type Kind = keyof typeof SCHEMAS;

// In one place the same member is required by two schemas, of which one knows its type.
const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false });
const validators = new Map<string, ValidateFunction>(
  Object.entries(SCHEMAS).map(([kind, schema]) => [kind, ajv.compile(schema)]),
);

/** Everything that is wrong with it, by its `kind`; empty when nothing is. */
export const mistakesIn = (document: unknown): readonly string[] => {
  const kind = (document as { readonly kind?: string } | null)?.kind ?? '';
  const validate = validators.get(kind);
  if (!validate) return [`there is no kind ${JSON.stringify(kind)}`];
  return validate(document)
    ? namesTwice(document)
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

/** Of two variables with one name the later wins, without a word. */
const namesTwice = (document: unknown): readonly string[] => {
  const service = document as {
    readonly spec?: {
      readonly template?: { readonly spec: { readonly containers: readonly Env[] } };
    };
  };
  const names = service.spec?.template?.spec.containers.flatMap(({ env }) =>
    env.map((variable) => variable.name),
  );
  return (names ?? []).filter((one, i, all) => all.indexOf(one) !== i).map((one) => `${one} twice`);
};

interface Env {
  readonly env: readonly { readonly name: string }[];
}
