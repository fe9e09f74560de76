/** A Dockerfile as data: one instruction a line, as ours is written. */

export interface Instruction {
  readonly line: number;
  /** In capitals, as written. */
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly rest: string;
  /** The rest as words; of the JSON form its elements. */
  readonly words: readonly string[];
  readonly isJson: boolean;
}

/** Values of ARG before the first FROM are filled in. */
export const parseDockerfile = (text: string): readonly Instruction[] => {
  const values: Record<string, string> = {};
  return text.split('\n').flatMap((raw, i) => {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return [];
    const [, name = '', tail = ''] = /^(\S+)\s*(.*)$/.exec(content) ?? [];
    const filled = tail.replace(/\$\{(\w+)\}/g, (whole, variable) => values[variable] ?? whole);
    if (name === 'ARG') {
      const [, variable = '', value = ''] = /^(\w+)=(.*)$/.exec(filled) ?? [];
      values[variable] = value;
    }
    const flags: Record<string, string> = {};
    const rest = filled.replace(/^(?:--([\w-]+)=(\S+)\s+)+/, (all) => {
      for (const [, flag = '', value = ''] of all.matchAll(/--([\w-]+)=(\S+)/g))
        flags[flag] = value;
      return '';
    });
    const isJson = rest.startsWith('[');
    const words: readonly string[] = isJson ? JSON.parse(rest) : rest.split(/\s+/);
    return [{ line: i + 1, name, flags, rest, words, isJson }];
  });
};

/** Whether .dockerignore keeps a path of the context away: the last pattern that fits it, or a folder above, decides. */
export const readIgnore = (text: string): ((path: string) => boolean) => {
  const patterns = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({
      keeps: line.startsWith('!'),
      fits: toRegExp(line.replace(/^!/, '').replace(/^\/|\/$/g, '')),
    }));
  return (path) => {
    const parts = path.split('/');
    const above = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
    return patterns.reduce(
      (ignored, { keeps, fits }) => (above.some((one) => fits.test(one)) ? !keeps : ignored),
      false,
    );
  };
};

/** `*` and `?` stay within a folder, `**` + `/` is any number of them. */
export const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/\*\*\/|[.+^${}()|[\]\\*?]/g, (mark) => {
      if (mark === '**/') return '(?:.*/)?';
      if (mark === '*') return '[^/]*';
      return mark === '?' ? '[^/]' : `\\${mark}`;
    })}$`,
  );
