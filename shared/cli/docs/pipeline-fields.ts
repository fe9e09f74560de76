/** The fields of a pipeline file and of its steps, from the schema that the file is checked by. */
import schema from '../../../pipelines/pipeline.schema.json';
import { code, table } from './markdown';

interface Field {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Field>>;
}

export const fileFields = (): string => fieldTable(schema.properties);
export const stepFields = (): string => fieldTable(schema.definitions.step.properties);

const fieldTable = (fields: Readonly<Record<string, Field>>): string =>
  table(['field', 'meaning', 'default'], rows(fields));

const rows = (fields: Readonly<Record<string, Field>>, above = ''): readonly string[][] =>
  Object.entries(fields).flatMap(([name, field]) => [
    [code(above + name), meaning(field), defaultOf(field)],
    ...rows(field.properties ?? {}, `${above}${name}.`),
  ]);

const meaning = ({ description = '', enum: values }: Field): string =>
  values ? `${values.map(code).join(', ')}: ${description}` : description;

const defaultOf = ({ default: value }: Field): string =>
  value === undefined ? '' : code(typeof value === 'string' ? value : JSON.stringify(value));
