/**
 * A function as a Knative Service (serving.knative.dev/v1): scales to zero, runs as nobody on a disk that it cannot
 * write. Only fields that Knative takes with no feature switched on.
 */
import type { AnyFunction } from '../../define';
import type { Plain } from '../../pipeline/export/yaml';
import { callersOf, environmentOf, type Variable } from './environment';

/** ConfigMap and Secret that hold the settings of the suite, by the names of their variables. */
const SETTINGS = 'faas-patterns';
/** The user `nonroot` of distroless images; by number, or the kubelet cannot tell that it is not root. */
const NOBODY = 65_532;

export const knativeService = (declaration: AnyFunction, name: string): Plain => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name, labels: { ...labels(name), ...visibility(declaration) } },
  spec: {
    template: {
      metadata: {
        labels: labels(name),
        annotations: {
          'autoscaling.knative.dev/min-scale': '0',
          'autoscaling.knative.dev/max-scale': '20',
          // One, to see that a revision starts; none would need a cluster that allows it.
          'autoscaling.knative.dev/initial-scale': '1',
          'autoscaling.knative.dev/target-utilization-percentage': '70',
        },
      },
      spec: {
        ...limitsOf(declaration),
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        containers: [container(declaration)],
      },
    },
  },
});

const labels = (name: string) => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': 'faas-patterns',
});

/** What nobody outside may call has no address outside. */
const visibility = (declaration: AnyFunction) =>
  callersOf(declaration).has('public')
    ? {}
    : { 'networking.knative.dev/visibility': 'cluster-local' };

/** Streams pass by and cost little, but last; so does the view of a run. Seconds for the whole of an answer. */
const limitsOf = ({ body, kind }: AnyFunction) => ({
  containerConcurrency: body.mode === 'stream' ? 250 : 80,
  timeoutSeconds: body.mode === 'stream' || kind === 'pipeline' ? 300 : 60,
});

const container = (declaration: AnyFunction): Plain => ({
  image: 'faas-patterns',
  ports: [{ name: 'http1', containerPort: 8080 }],
  env: [
    // Also in the image; without it everything would be open.
    { name: 'NODE_ENV', value: 'production' },
    { name: 'FUNCTION_TARGET', value: declaration.name },
    ...environmentOf(declaration).map((variable) => entry(declaration, variable)),
  ],
  // Without a period Knative asks as often as it takes for a quick start.
  readinessProbe: { httpGet: { path: '/health/readiness' } },
  livenessProbe: {
    httpGet: { path: '/health/liveness' },
    periodSeconds: 10,
    timeoutSeconds: 2,
    failureThreshold: 3,
  },
  resources: {
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { cpu: '1', memory: '256Mi' },
  },
  securityContext: {
    runAsNonRoot: true,
    runAsUser: NOBODY,
    runAsGroup: NOBODY,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
});

const entry = (declaration: AnyFunction, { name, setting, required }: Variable): Plain => {
  const { default: value, secret } = setting;
  const isOwn = Object.hasOwn(declaration.config, name);
  // Defaults of the suite stay what they are unless the ConfigMap says otherwise for all.
  if (isOwn && !secret && value !== undefined) return { name, value: String(value) };
  const ref = {
    name: SETTINGS,
    key: name === 'RESTATE_SERVICE_URL' ? `${declaration.name}.${name}` : name,
    ...(!required && { optional: true }),
  };
  return { name, valueFrom: secret ? { secretKeyRef: ref } : { configMapKeyRef: ref } };
};
