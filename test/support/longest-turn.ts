/**
 * The longest time, in ms of the processor, that passed between two turns of the event loop while `act` ran. On a
 * machine with much to do, what a clock shows would be the pauses of others.
 */
export const longestTurnDuring = async (act: () => Promise<unknown>): Promise<number> => {
  let longest = 0;
  let last = process.cpuUsage();
  const ticking = setInterval(() => {
    const { user, system } = process.cpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.cpuUsage();
  }, 1);
  await act();
  clearInterval(ticking);
  return longest;
};
