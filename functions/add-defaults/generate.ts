/** Values that are made for each document: the keyword `x-generate`. */
import type { Clock } from '../../shared/clock';
import type { Random } from '../../shared/random';

const GENERATORS = ['name', 'uuid', 'now'] as const;

/** `name`: two random words, `brave-heron`; `uuid`: version 4; `now`: the time, as in RFC 3339, in UTC. */
export type Generator = (typeof GENERATORS)[number];

export const isGenerator = (value: unknown): value is Generator =>
  (GENERATORS as readonly unknown[]).includes(value);

export type Generate = (generator: Generator) => string;

export interface GenerateOptions {
  readonly random: Random;
  readonly clock: Clock;
}

/** The generators for one document: `now` is the same wherever it stands in it. */
export const generatorsFor = ({ random, clock }: GenerateOptions): Generate => {
  const now = clock.now();
  const pick = (words: readonly string[]) => words[random.below(words.length)];
  return (generator) => {
    switch (generator) {
      case 'name':
        return `${pick(ADJECTIVES)}-${pick(BIRDS)}`;
      case 'uuid':
        return random.uuid();
      case 'now':
        return new Date(now).toISOString();
    }
  };
};

const ADJECTIVES = words(
  'amber brave bright calm clever crisp eager early fair fond gentle glad golden hardy honest keen',
  'kind lively lucky mellow merry nimble noble patient proud quick quiet silver steady sunny swift warm',
);

const BIRDS = words(
  'avocet bittern crane curlew dipper dove dunlin eider finch gannet goshawk grebe hawk heron hobby kestrel',
  'kite knot lark linnet martin merlin osprey owl plover puffin robin rook siskin swallow teal wren',
);

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}
