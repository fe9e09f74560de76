import { createHook } from 'node:async_hooks';

/** How many timers are set while `act` runs, also those for which the process does not stay alive. */
export const timersSetDuring = async (act: () => Promise<unknown>): Promise<number> => {
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'Timeout') count += 1;
    },
  }).enable();
  await act();
  hook.disable();
  return count;
};
