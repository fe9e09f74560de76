/** A pipeline as a Mermaid flowchart: for a README, an issue, a chat. */
import type { Pipeline } from '../pipeline';
import { detailWords, targetWords } from './words';

/** Names stand in quotes only, each letter that could mean something to Mermaid or HTML as its number. */
export const drawMermaid = ({ name, steps }: Pick<Pipeline, 'name' | 'steps'>): string => {
  const ids = new Map(steps.map((step, index) => [step.name, `s${index}`]));
  const optional = steps.filter(({ required }) => !required).map((step) => ids.get(step.name));
  return [
    '---',
    `title: ${JSON.stringify(oneLine(name))}`,
    '---',
    'flowchart LR',
    ...steps.map((step) => {
      const [first, ...rest] = [
        step.name,
        targetWords(step.target, step.name),
        ...detailWords(step),
      ];
      return `  ${ids.get(step.name)}["<b>${plain(first as string)}</b>${rest.map((row) => `<br>${plain(row)}`).join('')}"]`;
    }),
    ...steps.flatMap(({ name: to, after }) =>
      after.map((from) => `  ${ids.get(from)} --> ${ids.get(to)}`),
    ),
    ...(optional.length > 0
      ? ['  classDef optional stroke-dasharray:5 4', `  class ${optional.join(',')} optional`]
      : []),
    '',
  ].join('\n');
};

const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

const plain = (text: string): string =>
  oneLine(text).replace(/[^\p{L}\p{N} .,:_=/-]/gu, (mark) => `#${mark.codePointAt(0)};`);
