/**
 * Commands of platforms that docs show and nobody runs here: they would need an account, a cluster or a daemon. That each
 * flag exists, of this subcommand, and that what it reads is there, can be said without.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './copy';

/**
 * Flags by subcommand; what the docs need of them, from the references: cloud.google.com/sdk/gcloud/reference,
 * docs.docker.com/reference/cli, kubernetes.io/docs/reference/kubectl, osls, developers.cloudflare.com/workers/wrangler,
 * `workerd --help`. Those that end in `=` take a value.
 */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  'git clone': [],
  'gcloud functions deploy': [
    ...['--gen2', '--trigger-http', '--allow-unauthenticated', '--no-allow-unauthenticated'],
    ...['--region=', '--runtime=', '--source=', '--entry-point=', '--env-vars-file='],
    ...[
      '--set-secrets=',
      '--memory=',
      '--cpu=',
      '--concurrency=',
      '--min-instances=',
      '--max-instances=',
    ],
  ],
  'gcloud run deploy': [
    ...['--allow-unauthenticated', '--no-allow-unauthenticated', '--cpu-boost', '--use-http2'],
    ...['--region=', '--source=', '--image=', '--env-vars-file=', '--set-secrets='],
    ...['--update-env-vars=', '--set-build-env-vars=', '--memory=', '--concurrency='],
    ...['--min-instances=', '--max-instances=', '--liveness-probe='],
  ],
  'docker build': ['-f=', '-t='],
  'docker push': [],
  'docker run': [
    '--rm',
    '--read-only',
    '--cap-drop=',
    '-p=',
    '-e=',
    '--env-file=',
    '--stop-timeout=',
  ],
  'kubectl apply': ['-k=', '-f='],
  'kubectl create configmap': ['--from-env-file=', '--from-literal='],
  'kubectl create secret generic': ['--from-env-file=', '--from-literal='],
  'kubectl get ksvc': [],
  'kustomize edit set image': [],
  'npx osls package': ['--stage=', '--region=', '--package='],
  'npx osls deploy': ['--stage=', '--region=', '--package='],
  'npx osls remove': ['--stage=', '--region='],
  'npx wrangler deploy': ['--config=', '--name=', '--var=', '--dry-run'],
  'npx wrangler secret put': ['--config=', '--name='],
  'npx workerd serve': ['--watch', '--verbose'],
};

/** `undefined`: no command of such a tool; else what is wrong with it. */
export const complaintsOfTool = (text: string): readonly string[] | undefined => {
  const tool = Object.keys(TOOLS).find((name) => `${text} `.startsWith(`${name} `));
  if (tool === undefined) return undefined;
  if (/[|;&<>`$]/.test(text)) return [`nobody knows the command ${text}`];
  const flags = TOOLS[tool] ?? [];
  const words = text.slice(tool.length).match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const complaints: string[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const [word = '', value] = split(words[i] as string);
    if (!word.startsWith('-')) complaints.push(...missing(word));
    else if (flags.includes(`${word}=`)) {
      if (value === undefined) i += 1;
      const given = value ?? words[i];
      if (given === undefined) complaints.push(`${tool} ${word} wants a value`);
      else complaints.push(...missing(given));
    } else if (value !== undefined || !flags.includes(word))
      complaints.push(`${tool} has no flag ${word}`);
  }
  return complaints;
};

const split = (word: string): readonly [name: string, value: string | undefined] => {
  const [, name = word, value] = /^(-[\w-]*)=(.*)$/s.exec(word) ?? [];
  return [name, value];
};

/** Of the project; what a build writes is there once it has run. */
const missing = (word: string): readonly string[] => {
  const file = word.replace(/^\.\//, '');
  if (!/^(?:deploy|docs|shared|pipelines|functions|serverless\.yml)(?:\/|$)/.test(file)) return [];
  return existsSync(path.join(ROOT, file)) ? [] : [`there is no file ${file}`];
};
