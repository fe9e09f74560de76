/** What of a Markdown page can be tried: its fenced blocks, the code in its lines, its links. */

export interface Block {
  /** Of its fence in the page, from 1. */
  readonly line: number;
  /** The first word behind the fence; empty: none. */
  readonly language: string;
  readonly text: string;
  /** The comments `<!-- expect: … -->` right before it, one for each command, in their order. */
  readonly expects: readonly string[];
  /** The file that the sentence before it names last: it says where the block belongs. */
  readonly file: string | undefined;
}

export interface Page {
  readonly blocks: readonly Block[];
  /** The code in the lines, each with its line. */
  readonly spans: readonly (readonly [number, string])[];
  /** Where the links go, each with its line. */
  readonly links: readonly (readonly [number, string])[];
  /** The names by which a link reaches a heading. */
  readonly anchors: readonly string[];
  /** Code that no fence holds, and fences that do not end: the lines at which they begin. */
  readonly loose: readonly number[];
}

export const readPage = (markdown: string): Page => {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  const loose: number[] = [];
  const prose: (readonly [number, string])[] = [];
  let paragraph: string[] = [];
  let expects: string[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const text = lines[i] as string;
    const [, indent = '', fence, language = ''] =
      /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(text) ?? [];
    if (fence !== undefined) {
      const end = lines.findIndex((line, at) => at > i && line.trim() === fence);
      if (end < 0) loose.push(i + 1);
      // In a list all of it is indented.
      const inside = lines
        .slice(i + 1, end < 0 ? undefined : end)
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
      const file = /.*`([\w.-]+(?:\/[\w.-]+)+\.\w+)`/s.exec(paragraph.join('\n'))?.[1];
      blocks.push({ line: i + 1, language, text: `${inside.join('\n')}\n`, expects, file });
      i = end < 0 ? lines.length : end;
      paragraph = [];
      expects = [];
      continue;
    }
    const expected = /^<!-- expect: (.*) -->$/.exec(text)?.[1];
    if (expected !== undefined) expects.push(expected);
    else if (/^( {4}|\t)\S/.test(text) && lines[i - 1]?.trim() === '') loose.push(i + 1);
    else if (text.trim() !== '') {
      // A paragraph lasts over the blank line behind it, which a fence may stand after.
      if (lines[i - 1]?.trim() === '') paragraph = [];
      if (expects.length > 0) loose.push(i + 1);
      expects = [];
      paragraph.push(text);
      prose.push([i + 1, text]);
    }
  }
  return {
    blocks,
    spans: prose.flatMap(([line, text]) =>
      [...text.matchAll(/`([^`]+)`/g)].map((match) => [line, match[1] as string] as const),
    ),
    links: prose.flatMap(([line, text]) =>
      [...text.matchAll(/\]\(([^)\s]+)\)|<(https?:[^>]+)>/g)].map(
        (match) => [line, (match[1] ?? match[2]) as string] as const,
      ),
    ),
    anchors: prose.flatMap(([, text]) => {
      const heading = /^#+ (.*)$/.exec(text)?.[1];
      return heading
        ? [
            heading
              .toLowerCase()
              .replace(/[^\w\- ]/g, '')
              .replaceAll(' ', '-'),
          ]
        : [];
    }),
    loose,
  };
};
