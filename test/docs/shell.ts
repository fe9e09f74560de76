/** The commands of a `sh` block. Only what is known here may stand in the docs: anything else is a complaint. */
import { complaintsOfTool } from './tools';

export type Command =
  | { readonly kind: 'curl'; readonly text: string }
  /** Run as it stands, in the copy. */
  | { readonly kind: 'faas-patterns'; readonly args: readonly string[]; readonly shell?: string }
  | { readonly kind: 'jest' | 'docs'; readonly args: readonly string[] }
  /** Goes on beside what follows. */
  | { readonly kind: 'program'; readonly file: string }
  | { readonly kind: 'script'; readonly name: string }
  | { readonly kind: 'install'; readonly name: 'ci' | 'cit' }
  | { readonly kind: 'entry'; readonly name: string }
  | { readonly kind: 'stock'; readonly target: string }
  | { readonly kind: 'format'; readonly args: readonly string[] }
  | { readonly kind: 'clear' }
  /** Of a platform, which is not here: what is wrong with it. */
  | { readonly kind: 'tool'; readonly complaints: readonly string[] }
  | { readonly kind: 'unknown'; readonly text: string };

export interface Line {
  readonly command: Command;
  /** What is set in front of it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One for each command; comments are left out, lines that go on are joined, `&&` makes two of one. */
export const readCommands = (block: string): readonly Line[] =>
  block
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter((line) => line !== '')
    .flatMap((line) => (/^curl\b/.test(line) ? [line] : line.split(' && ')))
    .map(readLine);

const readLine = (line: string): Line => {
  const [, assignments = '', rest = ''] = /^((?:[A-Z][A-Z0-9_]*=\S*\s+)*)(.*)$/.exec(line) ?? [];
  const environment = Object.fromEntries(
    assignments.split(/\s+/).flatMap((one) => {
      const [name = '', ...value] = one.split('=');
      return name ? [[name, value.join('=')]] : [];
    }),
  );
  return { command: recognise(rest.trim()), environment };
};

export const recognise = (text: string): Command => {
  const [program, ...args] = text.split(/\s+/);
  const [first = '', second = ''] = args;
  // Its quotes are the shell's affair; that nothing stands behind it is ours.
  if (program === 'curl' && !/[|;&<>`]|\$\(/.test(text.replace(/'[^']*'/g, '')))
    return { kind: 'curl', text };
  const complaints = complaintsOfTool(text);
  if (complaints) return { kind: 'tool', complaints };
  // With what is piped in, and what has to come out.
  const piped = /^npx faas-patterns ([\w./ -]+?)( < [\w./-]+(?: \| diff - [\w./-]+)?)$/.exec(text);
  if (piped)
    return {
      kind: 'faas-patterns',
      args: (piped[1] as string).split(' '),
      shell: piped[2] as string,
    };
  if (/["'|;&<>`$*]/.test(text)) return { kind: 'unknown', text };
  if (program === 'npm' && (first === 'ci' || first === 'cit') && args.length === 1)
    return { kind: 'install', name: first };
  if (program === 'npm' && (first === 'start' || first === 'test') && args.length === 1)
    return { kind: 'script', name: first };
  // What they install and ask for is test/deploy's affair.
  if (/^npm (?:ci --omit=dev --ignore-scripts|audit|audit --omit=dev)$/.test(text))
    return { kind: 'install', name: 'ci' };
  if (text === 'npm pack') return { kind: 'script', name: 'prepack' };
  // Measures for a minute, and no two times the same.
  if (text === 'npm run docs -- --dependencies') return { kind: 'script', name: 'docs' };
  if (program === 'npm' && first === 'run' && second === 'docs')
    return { kind: 'docs', args: args.slice(2).filter((arg) => arg !== '--') };
  if (program === 'npm' && first === 'run' && args.length === 2)
    return { kind: 'script', name: second };
  // A benchmark takes minutes: that its script and its part are there is all that is checked.
  if (
    /^npm run bench (?:cold-start|throughput|pipelines|two-factor|shard|proxy|-- --dry)$/.test(text)
  )
    return { kind: 'script', name: second };
  if (program === 'npx' && first === 'faas-patterns')
    return { kind: 'faas-patterns', args: args.slice(1) };
  if (program === 'npx' && first === 'jest' && args.length > 1)
    return { kind: 'jest', args: args.slice(1) };
  if (program === 'npx' && first === 'biome' && second === 'check' && args.length > 2)
    return { kind: 'format', args: args.slice(2) };
  const target = /^npx functions-framework --target=(\S+)$/.exec(text)?.[1];
  if (target !== undefined) return { kind: 'stock', target };
  const beside = /^node (?!dist\/)([\w-]+(?:\/[\w-]+)*\.mjs)$/.exec(text)?.[1];
  if (beside !== undefined) return { kind: 'program', file: beside };
  const entry = /^node dist\/([\w-]+)\.cjs$/.exec(text)?.[1];
  if (entry !== undefined) return { kind: 'entry', name: entry };
  if (text === 'rm -r .data') return { kind: 'clear' };
  return { kind: 'unknown', text };
};
