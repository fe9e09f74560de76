/**
 * Asks something of the run: to run again, to end, to take an answer. A token stays in the memory of this page: it is
 * written nowhere, and gone with the page.
 */
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('order'));
const form = /** @type {HTMLFormElement} */ (document.getElementById('order-form'));
const problem = /** @type {HTMLElement} */ (document.getElementById('order-problem'));
const send = /** @type {HTMLButtonElement} */ (document.getElementById('order-send'));
const field = (/** @type {string} */ name) =>
  /** @type {HTMLInputElement | null} */ (document.getElementById(`order-${name}`));

/** @typedef {'replay' | 'cancel' | 'answer'} Kind */

/** @type {Record<Kind, { title: (step: string) => string, about: string, send: string, token: 'operator' | 'caller' }>} */
const KINDS = {
  replay: {
    title: () => 'Replay',
    about: 'What has succeeded is not sent again, unless you want just that.',
    send: 'Replay',
    token: 'operator',
  },
  cancel: {
    title: () => 'Cancel the run',
    about: 'Nothing more begins; what is under way may end, and what can be undone is undone.',
    send: 'Cancel the run',
    token: 'operator',
  },
  answer: {
    title: (step) => `Answer ${step}`,
    about: 'The first answer counts; the run goes on with it.',
    send: 'Answer',
    token: 'caller',
  },
};

/** By whose they are. @type {Record<string, string>} */
const tokens = {};

/** @type {{ kind: Kind, step: string, opener: HTMLElement } | undefined} */
let order;

const open = (/** @type {Kind} */ kind, /** @type {HTMLElement} */ opener, step = '') => {
  order = { kind, step, opener };
  const { title, about, send: label, token } = KINDS[kind];
  problem.textContent = '';
  for (const [id, text] of [
    ['order-title', title(step)],
    ['order-about', about],
    ['order-send', label],
    [
      'order-token-hint',
      `A bearer token of ${token === 'operator' ? 'an operator' : 'a caller'}. It stays on this page until you leave it.`,
    ],
  ])
    if (id && document.getElementById(id))
      /** @type {HTMLElement} */ (document.getElementById(id)).textContent = text ?? '';
  for (const part of form.querySelectorAll('[data-for]'))
    if (part instanceof HTMLElement) part.hidden = !part.dataset.for?.split(' ').includes(kind);
  const reason = field('reason');
  if (reason) reason.value = '';
  const chosen = field(kind === 'replay' && step ? 'step' : '');
  if (chosen) chosen.value = step;
  const scope = field(step ? 'scope-downstream' : 'scope-all');
  if (scope) scope.checked = true;
  const resend = field('resend');
  if (resend) resend.checked = false;
  const secret = field('token');
  if (secret) secret.value = tokens[token] ?? '';
  mark(undefined);
  dialog.showModal();
};

const mark = (/** @type {HTMLElement | null | undefined} */ wrong, text = '') => {
  for (const input of form.querySelectorAll('[aria-invalid]'))
    input.removeAttribute('aria-invalid');
  wrong?.setAttribute('aria-invalid', 'true');
  wrong?.focus();
  problem.textContent = text;
};

/** What to send and where; nothing when something is missing, which is said. */
const requestOf = (/** @type {Kind} */ kind, /** @type {string} */ step) => {
  const data = new FormData(form);
  const text = (/** @type {string} */ name) => String(data.get(name) ?? '').trim();
  if (kind === 'answer') {
    try {
      return { path: `signal/${step}`, body: JSON.stringify(JSON.parse(text('answer'))) };
    } catch {
      return mark(field('answer'), 'Enter the answer as JSON, such as {"approved": true}.');
    }
  }
  if (!text('reason')) return mark(field('reason'), 'Enter a reason: it is kept with the run.');
  const by = text('by');
  const scope = text('scope');
  return {
    path: kind,
    body: JSON.stringify({
      reason: text('reason'),
      ...(by && { by }),
      ...(kind === 'replay' && scope !== 'all' && { step: text('step') }),
      ...(kind === 'replay' && scope === 'downstream' && { downstream: true }),
      ...(kind === 'replay' && data.has('resend') && { resend: true }),
    }),
  };
};

const submit = async () => {
  if (!order) return;
  const { kind, step } = order;
  const whose = KINDS[kind].token;
  const secret = field('token');
  const token = secret?.value.trim() ?? '';
  const request = requestOf(kind, step);
  if (!request) return;
  if (secret && !token) return mark(secret, 'Enter a token.');
  tokens[whose] = token;
  const response = await fetch(`${location.pathname}/${request.path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: request.body,
  });
  if (response.ok) {
    document.dispatchEvent(new CustomEvent('run-ordered'));
    return dialog.close();
  }
  if (response.status === 401)
    return mark(
      secret,
      `The server does not take this token: it must be one of ${whose === 'operator' ? 'an operator' : 'a caller'}.`,
    );
  if (response.status === 403)
    return mark(undefined, 'Nobody may do this here: the server knows no tokens for it.');
  const { detail = '', errors = [] } = await response.json();
  mark(
    undefined,
    [
      detail,
      ...errors.map(
        (/** @type {{ pointer: string, message: string }} */ { pointer, message }) =>
          `${pointer} ${message}.`,
      ),
    ].join(' '),
  );
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (send.getAttribute('aria-disabled') === 'true') return;
  send.setAttribute('aria-disabled', 'true');
  problem.textContent = '';
  await submit().catch(() => mark(undefined, 'The server did not answer. Try again.'));
  send.removeAttribute('aria-disabled');
});

document.getElementById('order-leave')?.addEventListener('click', () => dialog.close());

// A browser gives the focus back by itself, if what had it is still there.
dialog.addEventListener('close', () => {
  if (order?.opener.hidden) document.getElementById('heading')?.focus();
  const secret = field('token');
  if (secret) secret.value = '';
});

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('button') : null;
  if (!button) return;
  if (button.id === 'replay' || button.id === 'cancel') open(button.id, button);
  else if (button.dataset.order)
    open(
      /** @type {Kind} */ (button.dataset.order),
      button,
      /** @type {HTMLElement | null} */ (button.closest('[data-step]'))?.dataset.step,
    );
});
