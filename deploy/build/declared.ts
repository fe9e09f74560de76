/** For the build: what the declarations say of the functions that it makes bundles of. */
import { catalogue } from '../../functions';
import { type Declarations, readDeclarations } from '../../shared/cli/declarations';
import type { AnyFunction, Need, Route } from '../../shared/define';

/** A request as the declaration of a function shows it, with the path at a host that serves all. */
export interface ExampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Declared {
  readonly name: string;
  readonly isPipeline: boolean;
  /** All that it may come to need, whatever its settings. */
  readonly needs: readonly Need[];
  readonly requests: readonly ExampleRequest[];
}

const ALL: readonly Need[] = ['store', 'secret', 'mail', 'sms', 'engine'];

/** Of all functions, and of the pipelines, each a function as well. `root` is the project's folder. */
export const declared = async (root: string): Promise<readonly Declared[]> => {
  const { functions, pipelines }: Declarations = await readDeclarations(catalogue, root, {
    // The suite tells it too, at its start; a build of all others must not wait for it.
    onMistake: (mistake) => console.error(`No bundles of a pipeline with a mistake: ${mistake}`),
  });
  const names = new Set(pipelines.map(({ name }) => name));
  return functions.map((declaration) => ({
    name: declaration.name,
    isPipeline: names.has(declaration.name),
    needs: declaration.needsWith ? ALL : (declaration.needs ?? []),
    requests: requestsOf(declaration),
  }));
};

const requestsOf = ({ name, routes }: AnyFunction): readonly ExampleRequest[] =>
  Object.entries(routes as Readonly<Record<string, Route>>).flatMap(([key, { example }]) => {
    if (!example) return [];
    const [method = '', pattern = ''] = key.split(' ');
    const { path = pattern.replace('/*', '/'), ...rest } = example;
    const any = rest.body === undefined ? 'GET' : 'POST';
    return [{ method: method === '*' ? any : method, path: `/${name}${path}`, ...rest }];
  });
