/** The engine that ENGINE_URL names. */
import type { Clock } from '../clock';
import type { Log } from '../handler';
import type { Random } from '../random';
import { deliver } from '../webhook/deliver';
import { attemptStep, type Destination } from './attempt';
import type { Engine } from './engine';
import { openJournal } from './engines/journal';
import { localEngine } from './engines/local';

export interface OpenEngineOptions {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const KNOWN = 'use local:PATH';

/** What is wrong with the URL, for one line after its name; `undefined` when it can be opened. Opens nothing. */
export const checkEngineUrl = (url: string): string | undefined => {
  if (/^restate\+https?:/i.test(url))
    return `names restate, for which there is no adapter yet; ${KNOWN}`;
  return /^local:[^\0?#]*[^\0?#/]$/.test(url)
    ? undefined
    : `is not the URL of an engine; ${KNOWN}, such as local:./.data/runs.db`;
};

/** Throws a TypeError with that complaint. */
export const openEngine = (
  url: string,
  { destination, clock, random, log }: OpenEngineOptions,
): Engine => {
  const complaint = checkEngineUrl(url);
  if (complaint) throw new TypeError(`url ${complaint}`);
  return localEngine({
    openJournal: () => openJournal(url.slice('local:'.length)),
    attempt: attemptStep({ destination, deliver, clock, random }),
    isConfigured: (target) => destination({ target }) !== undefined,
    clock,
    random,
    log,
  });
};
