/**
 * Chunks (RFC 9112 section 7.1) as they come from the server behind: their data goes on, their sizes and extensions end here.
 *
 * Fails closed: a size that is not hexadecimal, a line that does not end with CR and LF, data longer than it says.
 */
import { MAX_HEAD, NotHttp, readTrailers } from './answer-head';

/** Below 2^52, as a number must be to be counted exactly. */
const SIZE = /^[\da-f]{1,13}$/i;
/** RFC 9112 section 7.1.1: each `;name`, `;name=value` or `;name="value"`. */
const EXTENSIONS =
  /^(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/;
const LF = 0x0a;

export class ChunkReader {
  /** Fields behind the last chunk: name in lower case and value in turn. */
  trailers: readonly string[] = [];
  isDone = false;
  private step: 'size' | 'data' | 'data-end' | 'trailers' = 'size';
  private left = 0;
  private line = '';
  /** Bytes of extensions and trailer fields, of the whole message. */
  private overhead = 0;
  private fields = '';

  /** Takes the bytes from `at`, hands over data as views of them, and gives where it stopped. Throws `NotHttp`. */
  read(bytes: Buffer, from: number, take: (data: Buffer) => void): number {
    let at = from;
    while (at < bytes.length && !this.isDone) {
      if (this.step === 'data') {
        const end = Math.min(bytes.length, at + this.left);
        take(bytes.subarray(at, end));
        this.left -= end - at;
        at = end;
        if (this.left === 0) this.step = 'data-end';
        continue;
      }
      const lf = bytes.indexOf(LF, at);
      const end = lf < 0 ? bytes.length : lf;
      this.line += bytes.toString('latin1', at, end);
      if (this.line.length > MAX_HEAD) throw new NotHttp('a line that is too long');
      if (lf < 0) return bytes.length;
      at = lf + 1;
      const { line } = this;
      this.line = '';
      if (!line.endsWith('\r')) throw new NotHttp('a line that ends with LF alone');
      this.onLine(line.slice(0, -1));
    }
    return at;
  }

  private onLine(line: string): void {
    if (this.step === 'data-end') {
      if (line !== '') throw new NotHttp('a chunk that is longer than it says');
      this.step = 'size';
    } else if (this.step === 'size') this.onSize(line);
    else this.onTrailer(line);
  }

  private onSize(line: string): void {
    const semicolon = line.indexOf(';');
    const size = semicolon < 0 ? line : line.slice(0, semicolon);
    if (!SIZE.test(size) || !EXTENSIONS.test(line.slice(size.length)))
      throw new NotHttp('a chunk without a size');
    this.count(line.length - size.length);
    this.left = Number.parseInt(size, 16);
    this.step = this.left > 0 ? 'data' : 'trailers';
  }

  private onTrailer(line: string): void {
    if (line === '') {
      this.trailers = readTrailers(this.fields);
      this.isDone = true;
      return;
    }
    this.count(line.length);
    this.fields += this.fields === '' ? line : `\r\n${line}`;
  }

  private count(bytes: number): void {
    this.overhead += bytes;
    if (this.overhead > MAX_HEAD) throw new NotHttp('more around the data than a head may hold');
  }
}
