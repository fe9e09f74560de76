/** Keeps the list of messages fresh, and says times as people do. */
const PERIOD = 2_000;

const place = /** @type {HTMLElement} */ (document.getElementById('messages'));
const news = /** @type {HTMLElement} */ (document.getElementById('news'));

/** Parsed by the browser as it arrives: no string of ours ever becomes HTML. */
const load = (/** @type {string} */ url) =>
  new Promise((/** @type {(page: Document) => void} */ resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.setRequestHeader('accept', 'text/html');
    request.responseType = 'document';
    request.timeout = 10_000;
    request.onload = () => (request.responseXML ? resolve(request.responseXML) : reject());
    request.onerror = request.ontimeout = reject;
    request.send();
  });

const idsIn = (/** @type {ParentNode} */ list) =>
  [...list.querySelectorAll('a[id]')].map(({ id }) => id);

/** The list as the server wrote it, before times were reworded; unknown at first. */
let shown = '';

const show = (/** @type {HTMLElement} */ fresh) => {
  if (fresh.innerHTML === shown) return;
  const known = new Set(idsIn(place));
  const added = idsIn(fresh).filter((id) => !known.has(id)).length;
  shown = fresh.innerHTML;
  const focused = place.contains(document.activeElement) ? document.activeElement?.id : undefined;
  place.replaceChildren(...fresh.childNodes);
  reword();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if (added > 0) news.textContent = added === 1 ? '1 new message' : `${added} new messages`;
};

let running = false;
let again = false;

const refresh = async () => {
  if (running) {
    again = true;
    return;
  }
  running = true;
  do {
    again = false;
    try {
      const page = await load(place.dataset.live ?? '/outbox');
      const fresh = page.getElementById('messages');
      if (fresh) show(fresh);
      if (news.dataset.lost) news.textContent = '';
      delete news.dataset.lost;
    } catch {
      if (!news.dataset.lost) news.textContent = 'The server does not answer; trying again.';
      news.dataset.lost = 'yes';
    }
  } while (again);
  running = false;
};

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const relative = (/** @type {number} */ at, /** @type {number} */ now) => {
  const seconds = Math.round((at - now) / 1_000);
  if (seconds > -10) return 'just now';
  if (seconds > -60) return words.format(seconds, 'second');
  if (seconds > -3_600) return words.format(Math.round(seconds / 60), 'minute');
  return words.format(Math.round(seconds / 3_600), 'hour');
};

const reword = () => {
  const now = Date.now();
  for (const time of document.querySelectorAll('time')) {
    const at = Date.parse(time.dateTime);
    const text = relative(at, now);
    if (time.textContent !== text) time.textContent = text;
    if (!time.title) time.title = new Date(at).toLocaleString();
  }
};

reword();
setInterval(reword, 10_000);
setInterval(() => document.visibilityState === 'visible' && void refresh(), PERIOD);
document.addEventListener(
  'visibilitychange',
  () => document.visibilityState === 'visible' && refresh(),
);
document.addEventListener('run-changed', () => void refresh());
void refresh();
