/** Shows how a run stands, in place of how it stood: in the table, and in words for who listens. */
/** @typedef {import('../../pipeline/run').Run} Run */
/** @typedef {import('../run-texts').RunTexts} RunTexts */
const { describeRun } =
  /** @type {{ describeRun: import('../run-texts').DescribeRun }} */
  (/** @type {unknown} */ (globalThis));

/** Changes that come together are told together, ms. */
const BREATH = 400;

/** @type {import('../run-texts').RunFacts} */
const facts = JSON.parse(document.getElementById('facts')?.textContent ?? '');
const main = /** @type {HTMLElement} */ (document.querySelector('main'));
const find = (/** @type {string} */ where, /** @type {ParentNode} */ within = document) =>
  /** @type {HTMLElement} */ (within.querySelector(where));

const put = (
  /** @type {string} */ where,
  /** @type {string} */ text,
  /** @type {ParentNode} */ within = document,
) => {
  const place = find(where, within);
  if (place.textContent !== text) place.textContent = text;
};

const putTime = (
  /** @type {string} */ where,
  /** @type {string | undefined} */ at,
  /** @type {ParentNode} */ within = document,
) => {
  const time = /** @type {HTMLTimeElement} */ (find(where, within));
  if (time.dateTime !== (at ?? '')) time.dateTime = at ?? '';
};

const mark = (/** @type {HTMLElement | SVGElement} */ element, /** @type {string} */ state) => {
  if (element.dataset.state !== state) element.dataset.state = state;
};

/** Whoever was on what is not there any more, is at the top of the page. */
const hide = (/** @type {HTMLElement} */ element, /** @type {boolean} */ hidden) => {
  if (hidden && element.contains(document.activeElement)) find('#heading').focus();
  element.hidden = hidden;
};

const rows = /** @type {Map<string, HTMLElement>} */ (
  new Map(
    [...document.querySelectorAll('.steps [data-step]')].map((row) => [
      /** @type {HTMLElement} */ (row).dataset.step,
      row,
    ]),
  )
);

const ORDERS = { replay: 'Replay…', answer: 'Answer…' };

const showRow = (
  /** @type {HTMLElement} */ row,
  /** @type {Run['steps'][string]} */ step,
  /** @type {RunTexts['steps'][string]} */ texts,
) => {
  mark(row, step.state);
  for (const name of /** @type {const} */ ([
    'state',
    'why',
    'attempts',
    'took',
    'error',
    'meaning',
    'undo',
    'generation',
    'output',
  ]))
    put(`.${name}`, texts[name], row);
  putTime('.began', step.startedAt, row);
  find('.next', row).hidden = !texts.next;
  put('.next-text', texts.next?.text ?? '', row);
  putTime('.next time', texts.next?.at, row);
  const button = find('button', row);
  hide(button, texts.order === '');
  if (texts.order === '') return;
  put('button', ORDERS[texts.order], row);
  button.dataset.order = texts.order;
  button.setAttribute('aria-label', `${ORDERS[texts.order]} ${row.dataset.step}`);
};

const deeds = find('#history');
const template = /** @type {HTMLTemplateElement} */ (document.getElementById('deed'));

const showHistory = (/** @type {RunTexts['history']} */ history) => {
  find('#orders').hidden = history.length === 0;
  while (deeds.children.length > history.length) deeds.lastElementChild?.remove();
  for (const [index, { what, by, at, reason }] of history.entries()) {
    if (!deeds.children[index]) deeds.append(template.content.cloneNode(true));
    const item = /** @type {HTMLElement} */ (deeds.children[index]);
    put('.what', what, item);
    put('.by', by, item);
    put('.reason', reason, item);
    putTime('time', at, item);
  }
};

/** @type {Map<string, string>} */
let changes = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let telling;

/** Only what has ended, or waits for an answer: the rest is on its way. */
const tell = (
  /** @type {string} */ name,
  /** @type {string} */ words,
  /** @type {string} */ summary,
) => {
  changes.set(name, words);
  if (telling) return;
  telling = setTimeout(() => {
    telling = undefined;
    put('#news', [...changes.values(), summary].filter(Boolean).join(' '));
    changes = new Map();
  }, BREATH);
};

let shown = '';

const show = (/** @type {Run} */ run) => {
  // Another graph: what is drawn here is of the former one.
  if (run.graph !== facts.graph) {
    setTimeout(() => location.reload(), BREATH);
    return;
  }
  const texts = describeRun(run, facts);
  for (const [name, step] of Object.entries(run.steps)) {
    const row = rows.get(name);
    const said = texts.steps[name];
    if (!row || !said) continue;
    const isNews = said.order === 'answer' || !['pending', 'running'].includes(step.state);
    if (row.dataset.state !== step.state && isNews)
      tell(
        name,
        `${name} ${said.order === 'answer' ? 'waits for an answer' : said.state}.`,
        texts.summary,
      );
    showRow(row, step, said);
  }
  if (shown !== '' && shown !== texts.summary && run.state !== 'running')
    tell('', '', texts.summary);
  shown = texts.summary;
  mark(main, run.state);
  document.title = `${texts.state} · ${run.pipeline}`;
  put('#state', texts.state);
  put('#summary', texts.summary);
  put('.facts .took', texts.took);
  putTime('.facts .ended', run.endedAt);
  putTime('.facts .deadline', run.deadlineAt);
  const hasEnded = run.endedAt !== undefined;
  /** @type {HTMLElement} */ (find('.facts .ended').closest('div')).hidden = !hasEnded;
  /** @type {HTMLElement} */ (find('.facts .deadline').closest('div')).hidden = hasEnded;
  for (const order of ['replay', 'cancel']) hide(find(`#${order}`), texts.order !== order);
  find('.orders').hidden = false;
  showHistory(texts.history);
  document.dispatchEvent(new CustomEvent('run-shown', { detail: { run, texts } }));
};

document.addEventListener('run-told', (event) =>
  show(/** @type {CustomEvent<Run>} */ (event).detail),
);
