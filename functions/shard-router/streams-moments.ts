/** What is to happen when, soonest first: a binary heap in which each element knows its place, so that it can leave it. */

export interface Timed {
  /** When, ms; `Infinity`: never, and then it takes no place. */
  at: number;
  /** Its place in the heap, which only that writes. -1: none. */
  place: number;
}

export class Moments<T extends Timed> {
  private readonly heap: T[] = [];

  get first(): T | undefined {
    return this.heap[0];
  }

  /** Puts it where it belongs, after `at` has become another. */
  set(one: T, at: number): void {
    one.at = at;
    if (at === Number.POSITIVE_INFINITY) {
      this.remove(one);
      return;
    }
    if (one.place < 0) this.put(one, this.heap.length);
    this.up(one);
    this.down(one);
  }

  remove(one: T): void {
    const { place } = one;
    if (place < 0) return;
    one.place = -1;
    const last = this.heap.pop() as T;
    if (last === one) return;
    this.put(last, place);
    this.up(last);
    this.down(last);
  }

  private put(one: T, place: number): void {
    this.heap[place] = one;
    one.place = place;
  }

  private swap(a: T, b: T): void {
    const { place } = a;
    this.put(a, b.place);
    this.put(b, place);
  }

  private up(one: T): void {
    while (one.place > 0) {
      const parent = this.heap[(one.place - 1) >> 1] as T;
      if (parent.at <= one.at) return;
      this.swap(one, parent);
    }
  }

  private down(one: T): void {
    for (;;) {
      const left = this.heap[2 * one.place + 1];
      const right = this.heap[2 * one.place + 2];
      if (!left) return;
      const child = right && right.at < left.at ? right : left;
      if (one.at <= child.at) return;
      this.swap(child, one);
    }
  }
}
