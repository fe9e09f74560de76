/** The files that docs tell to write: put where they belong, and checked there as the project's own are. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Copy, ROOT } from './copy';
import { type Block, readPage } from './markdown';

/** Wrong on purpose: shown for what is said about it. */
export const isWrong = ({ expects }: Block): boolean =>
  expects.some((one) => /^exit [1-9]/.test(one));

/** What can also stand for itself, or be what a command wrote: by its language, how it is called where it is a file. */
const NAMED: Readonly<Record<string, RegExp>> = {
  js: /\.mjs$/,
  json: /\.json$/,
  text: /\.txt$/,
};

export const isPlaced = (block: Block): boolean =>
  (/^(?:ts|yaml)$/.test(block.language) && !isWrong(block)) ||
  (block.file !== undefined && NAMED[block.language]?.test(block.file) === true);

/** Whether the file goes to a folder that the project does not have: its reader's own, there only while the page is read. */
export const isApart = (file: string): boolean =>
  !existsSync(path.join(ROOT, file.split('/')[0] as string));

/** Complaints about types, style and pipelines; `pages` are Markdown by name. */
export const placeFiles = async (
  copy: Copy,
  pages: Readonly<Record<string, string>>,
): Promise<readonly string[]> => {
  const placed = new Map<string, string>();
  const complaints: string[] = [];
  for (const [name, markdown] of Object.entries(pages))
    for (const block of readPage(markdown).blocks.filter(isPlaced)) {
      const at = `${name}:${block.line}`;
      if (block.file === undefined)
        complaints.push(`${at} the sentence before the block names no file for it`);
      else if (!isApart(block.file)) {
        await copy.put(block.file, block.text);
        placed.set(block.file, at);
      }
    }
  const blame = (file: string, what: string): readonly string[] =>
    placed.has(file) ? [`${placed.get(file)} ${file}: ${what}`] : [];
  return [...complaints, ...(await checkFiles(copy, [...placed.keys()], blame))];
};

const checkFiles = async (
  copy: Copy,
  files: readonly string[],
  blame: (file: string, what: string) => readonly string[],
): Promise<readonly string[]> => {
  const sources = files.filter((file) => file.endsWith('.ts'));
  const bin = (name: string) => path.join('node_modules/.bin', name);
  const [types, style, built] = await Promise.all([
    copy.run([bin('tsc'), '--noEmit', '--pretty', 'false']),
    sources.length === 0
      ? { output: '' }
      : copy.run([bin('biome'), 'check', '--error-on-warnings', '--reporter=github', ...sources]),
    copy.run(['node', 'deploy/build.mjs']),
  ]);
  if (built.code !== 0)
    return [`the tree with the files of the docs does not build: ${built.output}`];
  const checked = await copy.run(['node', 'dist/cli.cjs', 'pipeline', 'check', '--json']);
  const { errors } = JSON.parse(checked.output) as {
    errors: readonly { file: string; line: number; message: string }[];
  };
  return [
    ...[...types.output.matchAll(/^([\w./-]+)\((\d+),\d+\): (.*)$/gm)].flatMap(
      ([, file = '', line, what]) => blame(file, `line ${line}: ${what}`),
    ),
    ...[
      ...style.output.matchAll(/^::(?:error|warning) .*?file=([^,]+),line=(\d+).*?::(.*)$/gm),
    ].flatMap(([, file = '', line, what]) =>
      blame(path.relative(copy.folder, file), `line ${line}: ${what}`),
    ),
    ...errors.flatMap(({ file, line, message }) => blame(file, `line ${line}: ${message}`)),
  ];
};
