/** A command of a platform that cannot be run here is read closely all the same. */
import { expect, test } from '@jest/globals';
import { complaintsOfTool } from './tools';

test.each([
  'gcloud run deploy add-defaults --source=. --set-build-env-vars="GOOGLE_ENTRYPOINT=node dist/node.cjs"',
  'docker build -f deploy/container/Dockerfile -t faas-patterns .',
  'kubectl apply -k deploy/knative',
  'npx osls package',
])('%s is fine', (text) => {
  expect(complaintsOfTool(text)).toEqual([]);
});

test.each([
  ['gcloud run deploy add-defaults --sauce=.', 'gcloud run deploy has no flag --sauce'],
  ['gcloud run deploy add-defaults --allow-unauthenticated=yes', /no flag --allow-unauth/],
  ['kubectl apply -k deploy/knativ', 'there is no file deploy/knativ'],
  ['docker build --file=deploy/container/Dockerfile .', /no flag --file/],
  ['docker build . -f', 'docker build -f wants a value'],
  ['docker build -f deploy/container/Dokerfile .', 'there is no file deploy/container/Dokerfile'],
  ['npx osls package | sh', /nobody knows/],
])('%s is not', (text, complaint) => {
  expect(complaintsOfTool(text)).toEqual([
    typeof complaint === 'string' ? complaint : expect.stringMatching(complaint),
  ]);
});

test('another subcommand is no command of the tool', () => {
  expect(complaintsOfTool('npx osls frobnicate')).toBeUndefined();
  expect(complaintsOfTool('gcloud run deployment')).toBeUndefined();
});
