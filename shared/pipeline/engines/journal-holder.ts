/**
 * The journal that the parts of an engine share: opened at the first need, and at hand from then on.
 *
 * Fails closed: what could not be opened is tried again by whoever needs it next.
 */
import { Failure } from '../../failure';
import type { Journal } from './journal';
import type { SignalGroup } from './signal-group';

export interface JournalHolderOptions {
  readonly openJournal: () => Promise<Journal>;
  /** What is read of it before anybody uses it. */
  readonly prepare: (journal: Journal) => Promise<void>;
  /** From then on none is opened any more. */
  readonly closing: SignalGroup;
}

export interface JournalHolder {
  /** Without a turn of the event loop, once it is open: most of what is recorded comes by here. */
  readonly opened: Journal | undefined;
  open(): Promise<Journal>;
  /** Closes what is open, or is being opened. */
  close(): Promise<void>;
}

export const journalHolder = (options: JournalHolderOptions): JournalHolder => {
  const { openJournal, prepare, closing } = options;
  let opening: Promise<Journal> | undefined;
  let opened: Journal | undefined;

  const openAll = async (): Promise<Journal> => {
    const journal = await openJournal();
    try {
      await prepare(journal);
    } catch (error) {
      await journal.close();
      throw error;
    }
    opened = journal;
    return journal;
  };

  return {
    get opened() {
      return opened;
    },
    open: async () => {
      if (opening) return opening;
      if (closing.aborted) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
      opening = openAll();
      // A file that could not be opened may be there at the next call.
      opening.catch(() => {
        opening = undefined;
      });
      return opening;
    },
    close: async () => {
      const journal = await opening?.catch(() => undefined);
      await journal?.close();
    },
  };
};
