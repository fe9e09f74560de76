/** The JSON Schema of pipeline files, part by part: what it says of the value at a place. */
import pipelineSchema from '../../pipelines/pipeline.schema.json';

export interface ShapeNode {
  /** Of its definition, when it has one: duration, pointer, variable … */
  readonly definition?: string;
  /** Names that it can hold; `undefined` when any can stand there, or none. */
  readonly known?: readonly string[];
}

interface Part {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly patternProperties?: Readonly<Record<string, Part>>;
  readonly items?: Part;
  readonly then?: Part;
  readonly else?: Part;
}

const ROOT = pipelineSchema as Part;

/** `undefined` for a place that no file can have. */
export const shapeNode = (tokens: readonly string[]): ShapeNode | undefined => {
  let part: Part | undefined = ROOT;
  for (const token of tokens) {
    const { properties = {}, patternProperties = {}, items }: Part = resolve(part);
    part = Object.hasOwn(properties, token)
      ? properties[token]
      : (Object.values(patternProperties)[0] ?? items);
    if (!part) return undefined;
  }
  const definition = (part.$ref ?? part.else?.$ref)?.replace(/^.*\//, '');
  const { properties } = resolve(part);
  return {
    ...(definition !== undefined && { definition }),
    ...(properties && { known: Object.keys(properties) }),
  };
};

/** What has two forms is an object in the first of them. */
const resolve = (part: Part): Part => {
  if (part.then) return resolve(part.then);
  if (part.$ref === undefined) return part;
  const [, ...names] = part.$ref.split('/');
  const found = names.reduce<unknown>(
    (inner, name) => (inner as Readonly<Record<string, unknown>>)[name],
    ROOT,
  );
  return resolve(found as Part);
};
