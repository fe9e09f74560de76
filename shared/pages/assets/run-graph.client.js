/** Carries the drawing on: each step's state, and what stands beside it as far as there is room. */
/** @typedef {import('../../pipeline/run').Run} Run */
/** @typedef {import('../run-texts').RunTexts} RunTexts */
const find = (/** @type {string} */ where, /** @type {ParentNode} */ within) =>
  /** @type {HTMLElement} */ (within.querySelector(where));

const boxes = /** @type {SVGGElement[]} */ ([...document.querySelectorAll('.graph g[data-step]')]);

const showBox = (
  /** @type {SVGGElement} */ box,
  /** @type {Run['steps'][string]} */ step,
  /** @type {RunTexts['steps'][string]} */ { state, note },
) => {
  if (box.dataset.state !== step.state) box.dataset.state = step.state;
  const word = find('.state', box);
  if (word.textContent !== state) word.textContent = state;
  const line = /** @type {SVGTextElement} */ (box.querySelector('text:has(.state)'));
  const place = find('.note', box);
  if (place.dataset.whole === note) return;
  place.dataset.whole = note;
  place.textContent = note;
  const { width } = /** @type {SVGRectElement} */ (box.querySelector('.box')).getBBox();
  const room = width - Number(line.getAttribute('x')) - PADDING;
  for (let end = note.length; end > 0 && line.getComputedTextLength() > room; end--)
    place.textContent = `${note.slice(0, end - 1).trimEnd()}…`;
};

/** Between a text and the edge of its box. */
const PADDING = 8;

/** What can be seen, for who cannot. */
const describeAll = (/** @type {RunTexts} */ { steps }) => {
  const place = document.querySelector('.graph desc');
  if (place)
    place.textContent = Object.entries(steps)
      .map(([name, { state, note }]) => `${name}: ${state}${note && `, ${note}`}.`)
      .join(' ');
};

document.addEventListener('run-shown', (event) => {
  const { run, texts } = /** @type {CustomEvent<{ run: Run, texts: RunTexts }>} */ (event).detail;
  for (const box of boxes) {
    const step = run.steps[box.dataset.step ?? ''];
    const said = texts.steps[box.dataset.step ?? ''];
    if (step && said) showBox(box, step, said);
  }
  describeAll(texts);
});
