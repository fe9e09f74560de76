import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { closeFrame, FrameBoundaries } from '../../../shared/websocket/frames';

interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly masked: boolean;
  readonly length: number;
}

const encode = ({ opcode, fin, masked, length }: Frame): Buffer => {
  const head = [(fin ? 0x80 : 0) | opcode];
  const mask = masked ? 0x80 : 0;
  if (length < 126) head.push(mask | length);
  else if (length < 65_536) head.push(mask | 126, length >> 8, length & 0xff);
  else head.push(mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff);
  if (masked) head.push(1, 2, 3, 4);
  // A payload that looks like heads of Close frames.
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0x88)]);
};

const frame = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 9, 10),
  fin: fc.boolean(),
  masked: fc.boolean(),
  length: fc.oneof(fc.nat(200), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000)),
});

/** Cuts at the places given, as a network may. */
const cutAt = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (a, b) => a - b,
  );
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length));
};

describe('boundaries', () => {
  test('are where frames end and nowhere else, however the network has cut the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, places) => {
          const parts = frames.map(encode);
          const ends = new Set([0]);
          let at = 0;
          for (const { length } of parts) {
            at += length;
            ends.add(at);
          }
          const boundaries = new FrameBoundaries();
          let taken = 0;
          for (const part of cutAt(Buffer.concat(parts), places)) {
            boundaries.take(part);
            taken += part.length;
            expect(boundaries.isAtBoundary).toBe(ends.has(taken));
          }
          expect(boundaries.isClosed).toBe(false);
        },
      ),
    );
  });

  test('the first one behind a place inside a frame is found, and no byte behind it is taken', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), fc.nat(), (frames, place) => {
        const bytes = Buffer.concat(frames.map(encode));
        const from = place % (bytes.length + 1);
        const boundaries = new FrameBoundaries();
        boundaries.take(bytes.subarray(0, from));
        let end = 0;
        for (const one of frames) if (end < from) end += encode(one).length;
        expect(boundaries.takeToBoundary(bytes.subarray(from))).toBe(end - from);
        expect(boundaries.isAtBoundary).toBe(true);
      }),
    );
  });

  test('in a part without one there is none', () => {
    const boundaries = new FrameBoundaries();
    const bytes = encode({ opcode: 2, fin: true, masked: false, length: 300 });
    boundaries.take(bytes.subarray(0, 1));
    expect(boundaries.takeToBoundary(bytes.subarray(1, 200))).toBe(-1);
    expect(boundaries.takeToBoundary(bytes.subarray(200))).toBe(bytes.length - 200);
  });

  test('a length of 63 bits has no end, so that nobody writes into its frame', () => {
    const boundaries = new FrameBoundaries();
    boundaries.take(Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]));
    boundaries.take(Buffer.alloc(100_000));
    expect(boundaries.isAtBoundary).toBe(false);
  });

  test('a Close frame is seen once its head is whole', () => {
    const boundaries = new FrameBoundaries();
    boundaries.take(encode({ opcode: 1, fin: true, masked: true, length: 9 }));
    boundaries.take(Buffer.from([0x88]));
    expect(boundaries.isClosed).toBe(false);
    boundaries.take(Buffer.from([0x02]));
    expect(boundaries.isClosed).toBe(true);
    expect(boundaries.isAtBoundary).toBe(false);
  });
});

describe('a Close frame', () => {
  test('of a server is four bytes', () => {
    expect([...closeFrame(1012)]).toEqual([0x88, 0x02, 0x03, 0xf4]);
  });

  test('of a client is masked (the example of RFC 6455 section 5.7 has this mask)', () => {
    const frame = closeFrame(1001, Uint8Array.of(0x37, 0xfa, 0x21, 0x3d));
    expect([...frame]).toEqual([0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x03 ^ 0x37, 0xe9 ^ 0xfa]);
  });
});
