/** Files that a command writes from the declarations: written where they differ, or only told to be stale. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface GeneratedIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The root of the project. */
  readonly folder: string;
}

/** Texts by their path below the folder. */
export type Generated = ReadonlyMap<string, string>;

const stale = async (files: Generated, folder: string): Promise<string[]> => {
  const found: string[] = [];
  for (const [file, text] of files) {
    const standing = await readFile(path.join(folder, file), 'utf8').catch(() => undefined);
    if (standing !== text) found.push(file);
  }
  return found;
};

/** The exit code: 1 when something is stale. `command` is who writes it. */
export const compareGenerated = async (
  files: Generated,
  command: string,
  { folder, stdout, stderr }: GeneratedIo,
): Promise<number> => {
  const found = await stale(files, folder);
  for (const file of found) stderr(`${file} is stale: ${command} writes it\n`);
  if (found.length === 0) stdout(`${files.size} files are as the declarations say\n`);
  return found.length === 0 ? 0 : 1;
};

/** The exit code. */
export const writeGenerated = async (
  files: Generated,
  { folder, stdout }: GeneratedIo,
): Promise<number> => {
  const found = await stale(files, folder);
  for (const file of found) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, files.get(file) as string);
    stdout(`wrote ${file}\n`);
  }
  if (found.length === 0) stdout('nothing has changed\n');
  return 0;
};
