/**
 * Who wins a slot: weighted rendezvous hashing (Thaler and Ravishankar, 1998; the weighted form: Schindelhauer and
 * Schomaker, SPAA 2005). Each member draws a number of its own for the slot, as if it waited for an event that comes
 * `weight` times as often; whoever waits least has it. A draw depends on one name and one slot and on nothing else, so
 * what a change gives or takes, it gives to or takes from the member that has changed.
 */
import { hashText } from '../key-hash';

const { fround, imul, LN2 } = Math;

/**
 * How many slots: with 100 equal members a share is off by 1.4 % (one standard deviation) of itself. Not an option: all
 * routers have to agree.
 */
export const SLOT_BITS = 19;
export const SLOTS = 2 ** SLOT_BITS;

/** Of a hash of 32 bits, the upper bits. */
export const slotOf = (hash: number): number => hash >>> (32 - SLOT_BITS);

/** A member's name, as two seeds: with one of 32 bits, two of many names might have the same draws. */
export interface Seeds {
  readonly a: number;
  readonly b: number;
}

export const seedsOf = (name: string): Seeds => ({
  a: hashText(name, 0x51ab1e5e) | 0,
  b: hashText(name, 0x0ddba11) | 0,
});

/** A number of a slot that has nothing of its neighbours'. */
export const seedOf = (slot: number): number => {
  let x = imul(slot + 1, 0x9e3779b1);
  x = imul(x ^ (x >>> 16), 0x85ebca6b);
  x = imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
};

/**
 * How long it waits: -ln(1 - p) / weight with p = (drawn + 1/2) / 2 ** 32, as a float of 32 bits.
 *
 * Not Math.log, whose last bits ECMAScript leaves to the engine: all of IEEE 754 that is used here is exact everywhere.
 */
export const wait = (drawn: number, weight: number): number => {
  let m = 1 - (drawn + 0.5) / 0x100000000;
  let halvings = 0;
  while (m < 0.5) {
    m *= 2;
    halvings += 1;
  }
  const s = (1 - m) / (1 + m);
  const z = s * s;
  const series = z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z / 17)))));
  return fround((2 * s * (1 + z * (1 / 3 + z * (1 / 5 + series))) + halvings * LN2) / weight);
};

/**
 * `drawn < limit * tryFor(weight)` whenever `wait(drawn, weight) <= limit`: spares most logarithms, since -ln(1 - p) is
 * never less than p. The last factor is for what the rounding to 32 bits takes away.
 */
export const tryFor = (weight: number): number => weight * 0x100000000 * 1.000001;
