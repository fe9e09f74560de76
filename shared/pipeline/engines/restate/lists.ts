/** Lists of runs and dead letters, newest first, a page at a time: questions in SQL to Restate's admin interface. */
import type { DeadLetter, Engine } from '../../engine';
import type { Admin } from './admin';
import { type Names, SUMMARY, type Summary, summaryName } from './stored';
import { isIn, toDeadLetters, toSummary } from './summary';

const PAGE = 50;

interface Row {
  readonly service_key: string;
  readonly value_utf8: string;
}

export const createLists = (
  admin: Admin,
  names: Pick<Names, 'runs'>,
): Pick<Engine, 'list' | 'deadLetters'> => ({
  list: async ({ pipeline, state, since, until, after, limit = PAGE }) => {
    const rows = await admin.query<Row>(
      select(
        names.runs,
        [
          ofPipeline(pipeline),
          state && isIn(state),
          since !== undefined && `key >= ${quote(SUMMARY + iso(since))}`,
          until !== undefined && `key < ${quote(SUMMARY + iso(until))}`,
          behind(pipeline, readCursor(after)),
        ],
        limit + 1,
      ),
    );
    const runs = rows.slice(0, limit).map(read);
    const last = runs.at(-1);
    return {
      runs: runs.map(({ id, summary }) => toSummary(id, summary)),
      ...(rows.length > limit && last && { next: cursorOf(last) }),
    };
  },

  deadLetters: async ({ pipeline, step, code, after, limit = PAGE }) => {
    const from = readCursor(after);
    const found: { readonly letter: DeadLetter; readonly next: string }[] = [];
    let behindRun = behind(pipeline, from, true);
    for (;;) {
      const rows = await admin.query<Row>(
        select(
          names.runs,
          [
            ofPipeline(pipeline),
            `value_utf8 LIKE '%"dead":[%'`,
            // Finds all that matters, and more: what is another step's is left out below.
            step !== undefined && `value_utf8 LIKE ${quote(`%"step":${JSON.stringify(step)}%`)}`,
            code !== undefined && `value_utf8 LIKE ${quote(`%"code":${JSON.stringify(code)}%`)}`,
            behindRun,
          ],
          limit + 1,
        ),
      );
      const runs = rows.map(read);
      for (const listed of runs)
        for (const letter of toDeadLetters(listed.id, listed.summary))
          if (
            (step === undefined || letter.step === step) &&
            (code === undefined || (letter.error?.code ?? 'internal') === code) &&
            (listed.id !== from?.id || from.step === undefined || letter.step > from.step)
          )
            found.push({ letter, next: cursorOf(listed, letter.step) });
      const last = runs.at(-1);
      if (!last || found.length > limit || runs.length <= limit) break;
      behindRun = behind(pipeline, { at: last.summary.createdAt, id: last.id });
    }
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      deadLetters: page.map(({ letter }) => letter),
      ...(found.length > limit && last && { next: last.next }),
    };
  },
});

type Condition = string | false | undefined | '';

const select = (service: string, conditions: readonly Condition[], limit: number): string =>
  `SELECT service_key, value_utf8 FROM state
   WHERE service_name = ${quote(service)} AND key LIKE '${SUMMARY}%'
   ${conditions
     .filter(Boolean)
     .map((condition) => `AND ${condition}`)
     .join(' ')}
   ORDER BY key DESC, service_key DESC LIMIT ${Math.trunc(limit)}`;

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const iso = (ms: number): string => new Date(ms).toISOString();
/** Behind the instant and a slash; SQL counts from 1. */
const ofPipeline = (pipeline: string): string =>
  `substr(key, ${SUMMARY.length + iso(0).length + 2}) = ${quote(pipeline)}`;

interface Listed {
  readonly id: string;
  readonly summary: Summary;
}

const read = ({ service_key: id, value_utf8: text }: Row): Listed => ({
  id,
  summary: JSON.parse(text) as Summary,
});

interface Cursor {
  readonly at: string;
  readonly id: string;
  readonly step?: string;
}

const cursorOf = ({ id, summary }: Listed, step = ''): string =>
  `${Date.parse(summary.createdAt)}.${id}${step && `.${step}`}`;

/** One that nobody has given out is none. */
const readCursor = (text: string | undefined): Cursor | undefined => {
  const [, at, id = '', step] =
    /^(\d{1,15})\.([\w-]{1,64})(?:\.([\w-]{1,64}))?$/.exec(text ?? '') ?? [];
  return at === undefined ? undefined : { at: iso(Number(at)), id, ...(step && { step }) };
};

const behind = (pipeline: string, cursor: Cursor | undefined, including = false): Condition => {
  if (!cursor) return undefined;
  const name = quote(summaryName({ createdAt: cursor.at, pipeline }));
  return `(key < ${name} OR (key = ${name} AND service_key ${including ? '<=' : '<'} ${quote(cursor.id)}))`;
};
