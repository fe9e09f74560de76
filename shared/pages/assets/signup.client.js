/** The form: sends a signup once, however often one presses, and shows each mistake beside its field. */
const form = /** @type {HTMLFormElement} */ (document.getElementById('signup-form'));
const problem = /** @type {HTMLElement} */ (document.getElementById('signup-problem'));
const button = /** @type {HTMLButtonElement} */ (form.querySelector('button:not([type])'));
const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll('input')]);

const input = () => {
  const data = new FormData(form);
  const text = (/** @type {string} */ name) => String(data.get(name) ?? '').trim();
  const phoneNumber = text('phoneNumber');
  return {
    username: text('username'),
    email: text('email'),
    ...(phoneNumber && { phoneNumber }),
    newsletter: data.has('newsletter'),
  };
};

const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

/** The same for every try at the same signup, so that a lost answer does not sign up twice. */
let attempt = { key: '', body: '' };

const keyFor = (/** @type {string} */ body) => {
  if (attempt.body !== body) attempt = { key: newKey(), body };
  return attempt.key;
};

const mistakeOf = (/** @type {HTMLInputElement} */ field) =>
  document.getElementById(`${field.name}-mistake`);

const mark = (/** @type {HTMLInputElement} */ field, /** @type {string} */ message) => {
  field.toggleAttribute('aria-invalid', false);
  if (message) field.setAttribute('aria-invalid', 'true');
  const place = mistakeOf(field);
  if (place) place.textContent = message;
};

/**
 * Each mistake at the field that its pointer names, in the field's own words where it has some; what has no field is
 * said at the end of the form.
 * @param {{ detail?: string, errors?: { pointer: string, message: string }[] }} answer
 */
const showMistakes = ({ detail = '', errors = [] }) => {
  const wrong = fields.filter(({ name }) => errors.some(({ pointer }) => pointer === `/${name}`));
  for (const field of wrong) {
    const found = errors.find(({ pointer }) => pointer === `/${field.name}`);
    mark(field, field.dataset.rule ?? found?.message ?? '');
  }
  const others = errors.filter(({ pointer }) => !wrong.some(({ name }) => pointer === `/${name}`));
  problem.textContent = [
    ...(wrong.length > 0 ? [`Please look at: ${wrong.map(labelOf).join(', ')}.`] : [detail]),
    ...others.map(({ pointer, message }) => `${pointer} ${message}.`),
  ].join(' ');
  wrong[0]?.focus();
};

const labelOf = (/** @type {HTMLInputElement} */ { labels }) =>
  (labels?.[0]?.textContent ?? '').replace(/ \(.*/, '');

const send = async () => {
  const user = input();
  const body = JSON.stringify(user);
  const response = await fetch('/signup', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': keyFor(body) },
    body,
  });
  const answer = await response.json();
  const location = response.headers.get('location');
  if (!response.ok || !location) return showMistakes(answer);
  attempt = { key: '', body: '' };
  document.dispatchEvent(
    new CustomEvent('run-started', { detail: { run: answer, location, user: user.username } }),
  );
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  problem.textContent = '';
  for (const field of fields) mark(field, '');
  try {
    await send();
  } catch {
    problem.textContent =
      'The server did not answer. Try again: the same signup is not done twice.';
  }
  button.removeAttribute('aria-disabled');
});

document.getElementById('example')?.addEventListener('click', () => {
  // An address signs up once, so each example is another one.
  const values = {
    username: 'ada',
    email: `ada-${newKey().slice(0, 6)}@example.com`,
    phoneNumber: '+12025550123',
  };
  for (const field of fields) {
    mark(field, '');
    if (field.type === 'checkbox') field.checked = true;
    else field.value = values[/** @type {keyof typeof values} */ (field.name)] ?? '';
  }
  problem.textContent = '';
});

form.hidden = false;
