/** A real jq, compiled to WebAssembly. */

interface Instance {
  raw(json: string, filter: string, flags: readonly string[]): Promise<string> | string;
}

/** An instance does not give its memory back, and breaks after some 300 calls. */
const CALLS = 100;

/** The one value that a filter gives. */
export const realJq = (
  load: NodeJS.Require,
): ((value: unknown, filter: string) => Promise<unknown>) => {
  const create = load('jq-wasm/dist/build/jq.js') as () => Promise<Instance>;
  let calls = 0;
  let instance = create();
  return async (value, filter) => {
    calls += 1;
    if (calls % CALLS === 0) instance = create();
    const text = await (await instance).raw(JSON.stringify(value), filter, ['-c']);
    const lines = text.trim().split('\n');
    if (lines.length !== 1 || text.trim() === '')
      throw new Error(`${lines.length} values: ${filter}`);
    return JSON.parse(lines[0] as string);
  };
};
