/** Asks for the one-time code once a step has sent one, and has it verified. */
const form = /** @type {HTMLFormElement} */ (document.getElementById('code-form'));
const field = /** @type {HTMLInputElement} */ (document.getElementById('code'));
const mistake = /** @type {HTMLElement} */ (document.getElementById('code-mistake'));
const confirmed = /** @type {HTMLElement} */ (document.getElementById('confirmed'));

/** For whom the code was sent: the right code of somebody else is not right. */
let user = '';
let challenge = '';

document.addEventListener('run-started', (event) => {
  user = /** @type {CustomEvent<{ user: string }>} */ (event).detail.user;
  challenge = '';
  form.hidden = true;
  confirmed.textContent = '';
});

document.addEventListener('run-changed', (event) => {
  const { run } =
    /** @type {CustomEvent<{ run: { steps: Record<string, { output?: unknown }> } }>} */ (event)
      .detail;
  const found = Object.values(run.steps)
    .map(({ output }) => /** @type {{ challenge?: unknown } | undefined} */ (output)?.challenge)
    .find((value) => typeof value === 'string');
  if (typeof found !== 'string' || found === challenge) return;
  challenge = found;
  field.value = '';
  say('');
  form.hidden = false;
  // The next thing to do; but whoever has gone elsewhere in the meantime is not called back.
  const at = document.activeElement;
  if (at === document.body || at?.closest('#signup-form')) field.focus();
});

const say = (/** @type {string} */ wrong) => {
  mistake.textContent = wrong;
  if (wrong) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const asked = challenge;
  const code = field.value.replace(/[\s-]/g, '');
  say('');
  const wrong = await verify({ challenge, code, user }).catch(
    () => 'The server did not answer. Try again.',
  );
  if (asked !== challenge) return;
  if (wrong) {
    say(wrong);
    field.focus();
    field.select();
  } else {
    form.hidden = true;
    confirmed.textContent = 'Phone confirmed.';
    confirmed.focus();
  }
});

/** What is wrong, or nothing. */
const verify = async (/** @type {{ challenge: string, code: string, user: string }} */ asked) => {
  const response = await fetch('/two-factor/verify', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
  });
  if (response.ok) return '';
  const { errors = [], detail = '' } = await response.json();
  const malformed = errors.some(
    (/** @type {{ pointer: string }} */ { pointer }) => pointer === '/code',
  );
  return (malformed && field.dataset.rule) || detail;
};
