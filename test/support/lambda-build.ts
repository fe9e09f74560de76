/** Functions as bundles for Lambda, one each, with all that they need; nothing of them stays in node_modules. */
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');

export interface LambdaBundle {
  readonly name: string;
  /** An expression that gives the catalogue, in a module at the root. */
  readonly catalogue: string;
  /** What it serves. @default the function of its name */
  readonly target?: string | undefined;
}

/** Below `folder`, where serverless.yml looks for them. */
export const buildForLambda = async (
  folder: string,
  bundles: readonly LambdaBundle[],
): Promise<void> => {
  for (const bundle of bundles) {
    const { name, catalogue } = bundle;
    const target = 'target' in bundle ? bundle.target : name;
    await build({
      absWorkingDir: ROOT,
      stdin: {
        contents: `
          import { lambdaHandler } from './shared/hosts/lambda';
          export const handler = lambdaHandler({ catalogue: ${catalogue}, target: ${JSON.stringify(target)} });`,
        resolveDir: ROOT,
        loader: 'ts',
      },
      outfile: path.join(folder, `dist/functions/${name}/lambda.cjs`),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      supported: { 'dynamic-import': false },
      external: ['libsql', '@restatedev/*'],
      logLevel: 'error',
      logOverride: { 'commonjs-variable-in-esm': 'silent' },
    });
  }
};

/** Of the suite: a function is in its own catalogue alone, a pipeline knows the names of those that it calls. */
export const suiteBundles = (
  functions: readonly string[],
  pipelines: readonly string[],
): readonly LambdaBundle[] => [
  ...functions.map((name) => ({
    name,
    catalogue: `{ ${JSON.stringify(name)}: () => import('./functions/${name}') }`,
  })),
  ...pipelines.map((name) => ({
    name,
    catalogue: `Object.fromEntries(${JSON.stringify(functions)}.map((name) => [name, () => Promise.reject(new Error(name))]))`,
  })),
];
