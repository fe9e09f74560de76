/**
 * Follows a run and shows each step: by server-sent events, and by asking again and again where these do not come
 * through.
 *
 * @typedef {{ state: string, reason?: string, attempts: number, startedAt?: string, endedAt?: string,
 *   nextAttemptAt?: string, error?: { code: string, status?: number }, output?: unknown }} Step
 * @typedef {{ id: string, state: string, steps: Record<string, Step> }} Run
 */
const PERIOD = 1_000;

const heading = /** @type {HTMLElement} */ (document.getElementById('run-heading'));
const status = /** @type {HTMLElement} */ (document.getElementById('run-state'));
const list = /** @type {HTMLElement} */ (document.getElementById('steps'));
const template = /** @type {HTMLTemplateElement} */ (document.getElementById('step'));

const STATES = /** @type {Record<string, string>} */ ({
  pending: 'waiting',
  running: 'running',
  succeeded: 'done',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'cancelled',
});

const REASONS = /** @type {Record<string, string>} */ ({
  condition: 'not asked for',
  not_configured: 'not configured',
  upstream: 'a step before it failed',
});

const noteOf = (/** @type {Step} */ step) =>
  [
    step.reason && (REASONS[step.reason] ?? step.reason),
    step.state === 'succeeded' && step.startedAt && step.endedAt
      ? `${Math.max(0, Date.parse(step.endedAt) - Date.parse(step.startedAt))} ms`
      : '',
    step.attempts > 1 && `${step.attempts} attempts`,
    step.state !== 'succeeded' &&
      step.error &&
      [step.error.code, step.error.status].filter(Boolean).join(' '),
    step.nextAttemptAt && `next at ${new Date(step.nextAttemptAt).toLocaleTimeString()}`,
  ]
    .filter(Boolean)
    .join(', ');

const rowFor = (/** @type {string} */ name) => {
  for (const row of list.children)
    if (row instanceof HTMLElement && row.dataset.step === name) return row;
  const row = /** @type {HTMLElement} */ (
    /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
  );
  row.dataset.step = name;
  put(row, '.name', name);
  list.append(row);
  return row;
};

const put = (
  /** @type {HTMLElement} */ row,
  /** @type {string} */ where,
  /** @type {string} */ text,
) => {
  const place = row.querySelector(where);
  if (place && place.textContent !== text) place.textContent = text;
};

/** What changed and how far it is; at the end what came of it. */
const summary = (/** @type {Run} */ { state, steps }, /** @type {string[]} */ changed) => {
  const all = Object.entries(steps);
  const count = (/** @type {string} */ wanted) =>
    all.filter(([, step]) => step.state === wanted).length;
  const named = (/** @type {string} */ wanted) =>
    all
      .filter(([, step]) => step.state === wanted)
      .map(([name]) => name)
      .join(', ');
  const skipped = count('skipped');
  if (state === 'succeeded')
    return `Signed up. ${count('succeeded')} steps done${skipped ? `, ${skipped} skipped` : ''}${count('failed') ? `, failed: ${named('failed')}` : ''}.`;
  if (state === 'failed') return `The signup failed at ${named('failed')}.${refused(steps)}`;
  if (state === 'cancelled') return 'The signup was cancelled.';
  const ended = all.length - count('pending') - count('running');
  return `${changed.length > 0 ? `${changed.join(', ')}. ` : ''}${ended} of ${all.length} steps have ended.`;
};

/** The one failure that a person can do something about. */
const refused = (/** @type {Run['steps']} */ steps) =>
  steps['create-user']?.error?.status === 422 ? ' Is there a user with this address already?' : '';

const render = (/** @type {Run} */ run) => {
  const changed = [];
  for (const [name, step] of Object.entries(run.steps)) {
    const row = rowFor(name);
    if (row.dataset.state !== step.state && !['pending', 'running'].includes(step.state))
      changed.push(`${name} ${STATES[step.state] ?? step.state}`);
    row.dataset.state = step.state;
    put(row, '.state', STATES[step.state] ?? step.state);
    put(row, '.note', noteOf(step));
  }
  const text = summary(run, changed);
  if (changed.length > 0 || run.state !== 'running' || status.textContent === '')
    if (status.textContent !== text) status.textContent = text;
  status.dataset.state = run.state;
  document.dispatchEvent(new CustomEvent('run-changed', { detail: { run } }));
};

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The stream ends with the run; every other end is a break, and asking goes on from there. */
const listen = (/** @type {string} */ location, /** @type {AbortSignal} */ signal) =>
  new Promise((/** @type {(ended: boolean) => void} */ resolve) => {
    const source = new EventSource(`${location}/events`);
    const end = (/** @type {boolean} */ ended) => {
      source.close();
      resolve(ended);
    };
    signal.addEventListener('abort', () => end(true));
    source.addEventListener('run', ({ data }) => {
      const run = /** @type {Run} */ (JSON.parse(data));
      if (signal.aborted) return;
      render(run);
      if (run.state !== 'running') end(true);
    });
    source.addEventListener('error', () => end(false));
  });

const poll = async (/** @type {string} */ location, /** @type {AbortSignal} */ signal) => {
  while (!signal.aborted) {
    try {
      const response = await fetch(location, { signal });
      if (response.ok) {
        const run = /** @type {Run} */ (await response.json());
        render(run);
        if (run.state !== 'running') return;
      }
    } catch {
      if (!signal.aborted) status.textContent = 'The server does not answer; trying again.';
    }
    await pause(PERIOD);
  }
};

let current = new AbortController();

document.addEventListener('run-started', async (event) => {
  const { run, location } = /** @type {CustomEvent<{ run: Run, location: string }>} */ (event)
    .detail;
  current.abort();
  current = new AbortController();
  const { signal } = current;
  list.replaceChildren();
  status.textContent = '';
  heading.hidden = list.hidden = false;
  render(run);
  if (run.state === 'running' && !(await listen(location, signal))) await poll(location, signal);
});
