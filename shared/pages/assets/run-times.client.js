/** Says instants as people do: in the zone of the reader, how long ago, in how long. */
const PERIOD = 500;

const sent = JSON.parse(document.getElementById('facts')?.textContent ?? '{}').now;
/** What the clock here is ahead of the server's, ms. */
const ahead = sent ? Date.now() - Date.parse(sent) : 0;

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** @type {readonly (readonly [Intl.RelativeTimeFormatUnit, number])[]} */
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

const relative = (/** @type {number} */ ms) => {
  const whole = Math.round(ms / 1_000) * 1_000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(whole) >= size) ?? ['second', 1_000];
  return words.format(Math.round(whole / size), unit);
};

const wordsOf = (/** @type {string | undefined} */ style, /** @type {number} */ at) => {
  const left = at + ahead - Date.now();
  if (style === 'clock') return clock.format(at);
  // What is due is due, also when the one who does it is a little late.
  if (style === 'countdown') return left < 500 ? 'now' : relative(left);
  return `${date.format(at)}, ${left > -5_000 && left < 5_000 ? 'just now' : relative(left)}`;
};

const reword = () => {
  if (document.visibilityState !== 'visible') return;
  for (const time of document.querySelectorAll('time')) {
    const text = time.dateTime ? wordsOf(time.dataset.as, Date.parse(time.dateTime)) : '';
    if (time.textContent !== text) time.textContent = text;
    if (time.title !== time.dateTime) time.title = time.dateTime;
  }
};

reword();
setInterval(reword, PERIOD);
document.addEventListener('visibilitychange', reword);
document.addEventListener('run-shown', reword);
