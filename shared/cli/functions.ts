/** `faas-patterns functions`: every function of the catalogue and of the pipelines, from their declarations. */
import { explainMistakes, type Mistake, readConfig } from '../config';
import type { AnyFunction } from '../define';
import { nodeFiles } from '../hosts/node-files';
import { describeFunction, type FunctionDescription } from '../suite/describe';
import { SUITE_SETTINGS } from '../suite/environment';
import { selectFunctions } from '../suite/select';
import type { Catalogue } from '../suite/suite';
import type { Io } from './io';

export const listFunctions = async (
  catalogue: Catalogue,
  io: Io,
  { json }: { readonly json: boolean },
): Promise<number> => {
  const { environment, folder } = io;
  const mistakes: Mistake[] = [];
  const { config, mistakes: wrong } = readConfig(SUITE_SETTINGS, environment, {
    production: false,
  });
  mistakes.push(...wrong);
  const declarations =
    wrong.length > 0
      ? []
      : (await selectFunctions({ catalogue, environment, folder, config, mistakes })).functions;
  if (mistakes.length > 0) {
    io.stderr(`faas-patterns: ${explainMistakes(mistakes)}\n`);
    return 2;
  }
  const functions = declarations.map((declaration) => describe(declaration, io));
  io.stdout(
    json ? `${JSON.stringify({ functions }, null, 2)}\n` : functions.map(row(functions)).join(''),
  );
  return 0;
};

/** What a setting lacks is no matter here: the list is also for those who have set nothing yet. */
const describe = (declaration: AnyFunction, { environment, folder }: Io): FunctionDescription => {
  const { config } = readConfig(declaration.config, environment, { production: false });
  return describeFunction(declaration, { config, files: nodeFiles(folder) });
};

const row = (functions: readonly FunctionDescription[]) => {
  const width = Math.max(...functions.map(({ name }) => name.length));
  return ({ name, kind, summary, calls }: FunctionDescription): string =>
    `${name.padEnd(width)}  ${kind.padEnd(9)}  ${summary}${calls.length > 0 ? ` (calls ${calls.join(', ')})` : ''}\n`;
};
