/** Bundles for Lambda, with all that they need. */
import { cpSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');

export interface LambdaBundle {
  readonly name: string;
  /** An expression that gives the catalogue, in a module at the root. */
  readonly catalogue: string;
}

/** Below `folder`, where serverless.yml looks for them. */
export const buildForLambda = async (
  folder: string,
  bundles: readonly LambdaBundle[],
): Promise<void> => {
  for (const { name, catalogue } of bundles)
    await build({
      absWorkingDir: ROOT,
      stdin: {
        contents: `
          import { lambdaHandler } from './shared/hosts/lambda';
          export const handler = lambdaHandler({ catalogue: ${catalogue} });`,
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
};

/** Those of `npm run build`, for functions of the suite. */
export const copyBuilt = (folder: string, names: readonly string[]): void => {
  for (const name of names)
    for (const file of [
      `dist/functions/${name}/lambda.cjs`,
      `dist/functions/${name}/lambda.cjs.LEGAL.txt`,
    ])
      cpSync(path.join(ROOT, file), path.join(folder, file));
};
