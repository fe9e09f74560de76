/**
 * Follows the run: by server-sent events, and by asking where these do not come through. A page that nobody looks at
 * does not listen, since a browser has but six connections for all of them.
 *
 * @typedef {import('../../pipeline/run').Run} Run
 */
/** Before the next try where the browser has given up, ms. */
const PAUSE = 2_000;
/** How long an answer may take, ms. */
const PATIENCE = 10_000;

const connection = /** @type {HTMLElement} */ (document.getElementById('connection'));

const say = (/** @type {'live' | 'lost' | 'gone' | ''} */ state) => {
  const texts = {
    live: connection.dataset.state === 'lost' ? 'Connected again.' : 'Live',
    lost: 'Connection lost; trying again.',
    gone: 'This run is not kept any more.',
    '': '',
  };
  if (connection.dataset.state === state) return;
  connection.textContent = texts[state];
  connection.dataset.state = state;
};

/** @type {EventSource | undefined} */
let source;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
/** Grows with all that was told, so that an answer which was overtaken is known. */
let told = 0;

const stop = () => {
  source?.close();
  clearTimeout(waiting);
  source = waiting = undefined;
};

const tell = (/** @type {Run} */ run) => {
  told += 1;
  document.dispatchEvent(new CustomEvent('run-told', { detail: run }));
  say(run.state === 'running' ? 'live' : '');
  if (run.state !== 'running') stop();
};

const listen = () => {
  stop();
  const opened = new EventSource(`${location.pathname}/events`);
  source = opened;
  opened.addEventListener('run', ({ data }) => tell(JSON.parse(data)));
  opened.addEventListener('error', () => {
    if (source !== opened) return;
    const hasGivenUp = opened.readyState === EventSource.CLOSED;
    void ask();
    if (hasGivenUp) waiting = setTimeout(listen, PAUSE);
  });
};

/** One look at how it stands: the stream may be what does not work. */
const ask = async () => {
  const before = told;
  try {
    const response = await fetch(location.pathname, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (before !== told) return;
    if (response.status === 404) {
      stop();
      say('gone');
    } else if (response.ok) tell(await response.json());
    else say('lost');
  } catch {
    if (before === told) say('lost');
  }
};

document.addEventListener('visibilitychange', () =>
  document.visibilityState === 'visible' ? listen() : stop(),
);
document.addEventListener('run-ordered', listen);
// From here on it moves.
/** @type {HTMLElement} */ (document.getElementById('still')).hidden = true;
listen();
