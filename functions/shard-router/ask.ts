/** How active checks ask: by the web's own fetch, which every host has. Every question has an end. */

/** The status of the answer. Rejects when none comes within `timeout` ms, or when the signal aborts. */
export const askByFetch = async (
  url: string,
  path: string,
  timeout: number,
  signal: AbortSignal,
): Promise<number> => {
  const response = await fetch(url + path, {
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  });
  await response.body?.cancel();
  return response.status;
};
