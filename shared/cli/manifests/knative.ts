/**
 * deploy/knative: a Service for each function, the Broker with its Triggers, and what puts them together.
 *
 * A pipeline is a Service like any function, and its own engine carries its steps. The few that Knative can carry by
 * itself are beside it as flows, to be taken in its place: both at once would do everything twice.
 */
import type { AnyFunction } from '../../define';
import { toKnative } from '../../pipeline/export/knative';
import { type Plain, toYaml } from '../../pipeline/export/yaml';
import type { Pipeline } from '../../pipeline/pipeline';
import type { Declarations } from '../declarations';
import { eventing } from './knative-eventing';
import { knativeService } from './knative-service';

const FOLDER = 'deploy/knative';
/** For flows, which can name their dead letter sink by URL alone. */
const DEAD_LETTERS = 'http://dead-letters.default.svc.cluster.local';

export const knative = function* ({
  functions,
  pipelines,
}: Declarations): Iterable<readonly [string, string]> {
  for (const declaration of functions)
    yield [`${FOLDER}/${objectName(declaration)}.yaml`, serviceFile(declaration)];
  yield [`${FOLDER}/eventing.yaml`, eventingFile(functions)];
  for (const pipeline of pipelines) {
    const flow = flowFile(pipeline);
    if (flow !== undefined) yield [`${FOLDER}/flows/${objectName(pipeline)}.yaml`, flow];
  }
  yield [`${FOLDER}/kustomization.yaml`, kustomizationFile(functions)];
};

/** The name of a function may end in a dash, that of an object may not. */
export const objectName = ({ name }: { readonly name: string }): string => name.replace(/-+$/, '');

const WRITTEN = 'Written by npm run manifests from the declarations. Change those, not this file.';

const file = (comments: readonly string[], documents: readonly Plain[]): string =>
  [...comments, WRITTEN].map((line) => `# ${line}\n`).join('') +
  documents.map((document) => `---\n${toYaml(document)}`).join('');

const serviceFile = (declaration: AnyFunction): string => {
  const { summary, needs = [], needsWith, kind } = declaration;
  return file(
    [
      summary,
      'What has no default comes from the ConfigMap and the Secret faas-patterns of the namespace; docs/configuration.md says what each is.',
      ...(needs.includes('store') || needsWith
        ? [
            'Keeps state: STORE_URL must be redis:// or rediss://, since instances come and go and share no disk.',
          ]
        : []),
      ...(needs.includes('sms')
        ? [
            'Messages that wait to be sent again do so while an instance runs: set min-scale to 1 where they must not wait for the next request.',
          ]
        : []),
      ...(kind === 'pipeline'
        ? [
            'ENGINE_URL must be restate+http://, since instances share no disk; Restate calls this Service at RESTATE_SERVICE_URL, which wakes it, with a signature by one of RESTATE_IDENTITY_KEYS.',
            'FUNCTIONS_URL: http://{function}.NAMESPACE.svc.cluster.local',
          ]
        : []),
    ],
    [knativeService(declaration, objectName(declaration))],
  );
};

const eventingFile = (functions: readonly AnyFunction[]): string => {
  const { documents, unreachable } = eventing(functions, objectName);
  return file(
    [
      'What cannot be delivered goes to the Service dead-letters of the namespace, which is yours. Until it is there, nothing here is ready.',
      ...unreachable.map(
        (name) =>
          `No Trigger for ${name}: its callers are not public, and a Trigger can add no token.`,
      ),
    ],
    documents,
  );
};

/** `undefined` when Knative alone cannot say it; `pipeline export --to knative` tells why. */
const flowFile = (pipeline: Pipeline): string | undefined => {
  const exported = toKnative(pipeline, { unsigned: true, deadLetterSink: DEAD_LETTERS });
  if ('refused' in exported) return undefined;
  return `# In place of the Service ${objectName(pipeline)} and its Trigger, not beside them.\n# ${WRITTEN}\n${exported.text}`;
};

const kustomizationFile = (functions: readonly AnyFunction[]): string =>
  file(
    [
      'kubectl apply -k deploy/knative',
      'Leave out what you do not serve; for the image: kustomize edit set image faas-patterns=REGISTRY/faas-patterns:TAG',
    ],
    [
      {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: [
          ...functions.map((declaration) => `${objectName(declaration)}.yaml`),
          'eventing.yaml',
        ],
        images: [
          {
            name: 'faas-patterns',
            newName: 'registry.example.com/faas-patterns',
            newTag: 'main',
          },
        ],
      },
    ],
  );
