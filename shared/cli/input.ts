/** What a command is given to send: JSON from a flag, a file or a pipe, whole or line by line. Strict, and bounded. */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Failure } from '../failure';
import { MAX_BODY } from '../http/body';
import { checkJson } from '../json';
import { UnusableInput, UsageError } from './flags';
import type { FullIo } from './io';
import { interrupted } from './problem';
import { oneLine } from './text';

export interface InputFlags {
  readonly input?: string;
  readonly data?: string;
}

/**
 * The JSON text of `--data` or `--input FILE` (`-`: stdin), as it was written; `undefined` when neither is given.
 * Throws a UsageError for both, and an UnusableInput for what cannot be read, is larger than a server takes, or is
 * not JSON.
 */
export const readInput = async (
  { input, data }: InputFlags,
  io: FullIo,
): Promise<string | undefined> => {
  if (input !== undefined && data !== undefined)
    throw new UsageError('--input and --data cannot both be given');
  const text = input === undefined ? data : await readAll(input, io);
  if (text === undefined) return undefined;
  const wrong = jsonMistake(text);
  if (wrong !== undefined)
    throw new UnusableInput(`${data === undefined ? nameOf(input) : '--data'}: ${wrong}`);
  return text;
};

/** One sentence with line and column; `undefined`: it is JSON. */
export const jsonMistake = (text: string): string | undefined => {
  try {
    checkJson(text);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return thrown.message;
  }
};

export interface Line {
  /** The first is 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a file or of stdin that are not blank, as they come, until the command is to end. Throws an
 * UnusableInput for what cannot be read.
 */
export async function* readLines(source: string, io: FullIo): AsyncGenerator<Line> {
  let rest = '';
  let number = 0;
  for await (const chunk of readText(source, io)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      number += 1;
      if (text.trim() !== '') yield { number, text };
    }
    if (rest.length > MAX_BODY)
      throw new UnusableInput(`line ${number + 1} of ${nameOf(source)} is larger than ${LARGEST}`);
  }
  if (rest.trim() !== '' && !io.signal.aborted) yield { number: number + 1, text: rest };
}

const LARGEST = `${MAX_BODY} bytes, which no server takes`;

const readAll = async (source: string, io: FullIo): Promise<string> => {
  let text = '';
  for await (const chunk of readText(source, io)) {
    text += chunk;
    if (text.length > MAX_BODY)
      throw new UnusableInput(`${nameOf(source)} is larger than ${LARGEST}`);
  }
  if (io.signal.aborted) throw interrupted();
  return text;
};

/** Strict UTF-8, as it comes. Throws an UnusableInput for what cannot be read. */
export async function* readText(source: string, io: FullIo): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of readChunks(source, io))
      yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (!io.signal.aborted) yield decoder.decode();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === undefined) throw thrown;
    throw new UnusableInput(
      `${nameOf(source)} ${REASONS[code] ?? `cannot be read (${oneLine(code)})`}`,
    );
  }
}

/** Who waits for somebody to type can be told to end. */
async function* readChunks(source: string, io: FullIo): AsyncGenerator<Uint8Array | string> {
  const { signal, stdin, folder } = io;
  // Not a race with one promise of the end: that would keep every chunk for as long as it is open.
  let stop = (): void => undefined;
  signal.addEventListener('abort', () => stop(), { once: true });
  const readable = source === '-' ? stdin : createReadStream(path.resolve(folder, source));
  const chunks = (readable as AsyncIterable<Uint8Array | string>)[Symbol.asyncIterator]();
  while (!signal.aborted) {
    const next = await new Promise<IteratorResult<Uint8Array | string> | undefined>(
      (resolve, reject) => {
        stop = () => resolve(undefined);
        chunks.next().then(resolve, reject);
      },
    );
    stop = () => undefined;
    if (!next || next.done) return;
    yield next.value;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8',
};

/** For a message. */
export const nameOf = (source = '-'): string => (source === '-' ? 'stdin' : oneLine(source));
