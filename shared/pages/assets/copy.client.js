/** Copy buttons: only where the browser has a clipboard to offer. */
const copied = document.getElementById('copied');

for (const button of document.querySelectorAll('button.copy')) {
  const code = button.parentElement?.querySelector('code');
  if (!(button instanceof HTMLElement) || !code || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const done = await navigator.clipboard.writeText(code.textContent ?? '').then(
      () => true,
      () => false,
    );
    button.textContent = done ? 'Copied' : 'Not allowed';
    if (copied) copied.textContent = done ? 'Copied.' : 'The browser does not allow copying.';
    setTimeout(() => {
      button.textContent = 'Copy';
      if (copied) copied.textContent = '';
    }, 2_000);
  });
}
