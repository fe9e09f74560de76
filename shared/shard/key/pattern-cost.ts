/**
 * How often a pattern that finds nothing must be tried anew: once for each place where it could have gone on otherwise.
 *
 * Where what may repeat, and what may follow it, have no byte in common, there is one way only, and going back costs no
 * more than having come. Each other place makes a factor of the length; one within a repetition makes an exponent, and
 * such a pattern is not taken.
 */
import type { Bytes, PatternNode } from './pattern-syntax';

/** The time would not be bounded by a power of the length that one can afford. */
export class Unbounded extends Error {}

const NONE: Bytes = new Uint8Array(256);

/** How many factors of the length, beside the first. Throws `Unbounded` for a repetition within another. */
export const choicesOf = (node: PatternNode): number => count(node, NONE, false);

/** `follow`: what may come behind. */
const count = (node: PatternNode, follow: Bytes, isRepeated: boolean): number => {
  switch (node.kind) {
    case 'one':
    case 'place':
      return 0;
    case 'sequence':
      return countSequence(node.nodes, follow, isRepeated);
    case 'choice': {
      refuse(isRepeated, 'alternatives');
      const firsts = node.nodes.map((one) => firstOf(one, follow));
      const meet = firsts.some((one, i) =>
        firsts.slice(i + 1).some((other) => haveCommon(one, other)),
      );
      return sum(node.nodes.map((one) => count(one, follow, false))) + (meet ? 1 : 0);
    }
    case 'repeat': {
      refuse(isRepeated, 'a repetition');
      const isMany = node.max > 1;
      const again = isMany ? union(firstOf(node.node, NONE), follow) : follow;
      const inner = count(node.node, again, isMany);
      const isOpen = node.min !== node.max;
      const meets = isNullable(node.node) || haveCommon(firstOf(node.node, NONE), follow);
      return inner + (isOpen && meets ? 1 : 0);
    }
    case 'ahead':
      // It may be looked at from many places.
      return count(node.node, NONE, isRepeated) + repetitionsOf(node.node);
  }
};

const countSequence = (
  nodes: readonly PatternNode[],
  follow: Bytes,
  isRepeated: boolean,
): number => {
  let behind = follow;
  let factors = 0;
  for (const node of [...nodes].reverse()) {
    factors += count(node, behind, isRepeated);
    behind = firstOf(node, behind);
  }
  return factors;
};

const refuse = (isRepeated: boolean, what: string): void => {
  if (isRepeated) throw new Unbounded(`could take too long: ${what} within a repetition`);
};

/** With which bytes it may go on here; where it may be of none, with those of what follows too. */
const firstOf = (node: PatternNode, follow: Bytes): Bytes => {
  switch (node.kind) {
    case 'one':
      return node.of;
    case 'place':
    case 'ahead':
      return follow;
    case 'sequence':
      return node.nodes.reduceRight((behind, one) => firstOf(one, behind), follow);
    case 'choice':
      return node.nodes.map((one) => firstOf(one, follow)).reduce(union, NONE);
    case 'repeat':
      return node.min === 0
        ? union(firstOf(node.node, follow), follow)
        : firstOf(node.node, follow);
  }
};

const isNullable = (node: PatternNode): boolean => {
  switch (node.kind) {
    case 'one':
      return false;
    case 'place':
    case 'ahead':
      return true;
    case 'sequence':
      return node.nodes.every(isNullable);
    case 'choice':
      return node.nodes.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.node);
  }
};

const repetitionsOf = (node: PatternNode): number => {
  switch (node.kind) {
    case 'one':
    case 'place':
      return 0;
    case 'sequence':
    case 'choice':
      return sum(node.nodes.map(repetitionsOf));
    case 'repeat':
      return repetitionsOf(node.node) + (node.max > 1 ? 1 : 0);
    case 'ahead':
      return repetitionsOf(node.node);
  }
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const union = (a: Bytes, b: Bytes): Bytes => a.map((has, byte) => has | (b[byte] as number));

const haveCommon = (a: Bytes, b: Bytes): boolean =>
  a.some((has, byte) => has === 1 && b[byte] === 1);
