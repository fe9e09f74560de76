/**
 * `npm run manifests`: writes the deployment files that follow from the declarations; with --check only says whether it
 * would.
 *
 * Exit codes: 0 fine, 1 something is stale (--check), 2 a flag or a pipeline that cannot be used.
 */
import { parseArgs } from 'node:util';
import type { Catalogue } from '../suite/suite';
import { type Declarations, readDeclarations } from './declarations';
import { compareGenerated, type Generated, type GeneratedIo, writeGenerated } from './generated';
import { container } from './manifests/container';
import { knative } from './manifests/knative';
import { serverless } from './manifests/serverless';

/** The files of one platform, by their path below the root. */
export type Manifests = (facts: Declarations) => Iterable<readonly [path: string, text: string]>;

/** One line a platform. */
const PLATFORMS: readonly Manifests[] = [knative, container, serverless];

const USAGE = `Usage: npm run manifests [-- --check]

  --check   write nothing; exit with 1 when something is stale
`;

export const generateManifests = async (
  catalogue: Catalogue,
  folder: string,
): Promise<Generated> => {
  const facts = await readDeclarations(catalogue, folder);
  return new Map(PLATFORMS.flatMap((platform) => [...platform(facts)]));
};

/** Resolves with the exit code. */
export const manifests = async (
  args: readonly string[],
  catalogue: Catalogue,
  io: GeneratedIo,
): Promise<number> => {
  try {
    const { check } = readFlags(args);
    const files = await generateManifests(catalogue, io.folder);
    return await (check
      ? compareGenerated(files, 'npm run manifests', io)
      : writeGenerated(files, io));
  } catch (error) {
    io.stderr(`manifests: ${(error as Error).message}\n`);
    return 2;
  }
};

const readFlags = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: { check: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`);
  }
};
