/** Which tests stand for which row of the attack table: they begin with it, as in `A3: …` or `A9, A11: …`. */
import { readdirSync, readFileSync } from 'node:fs';

export interface NamedTest {
  /** From the root of the project. */
  readonly file: string;
  /** As it is in the source. */
  readonly name: string;
  readonly rows: readonly string[];
}

const NAME =
  /\b(?:test|describe)(?:\.each(?:<[^>]*>)?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?\(\s*(['"`])((A\d+(?:, A\d+)*): (?:(?!\1)[^\\]|\\.)*)\1/g;

export const namedTests = (): readonly NamedTest[] =>
  readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(`test/${file}`, 'utf8').matchAll(NAME)].map(([, , name, rows]) => ({
        file: `test/${file}`,
        name: name as string,
        rows: (rows as string).split(', '),
      })),
    );

/** A1 to A32. */
export const ROWS: readonly string[] = Array.from({ length: 32 }, (_, i) => `A${i + 1}`);
