/**
 * Does the same again and again, as often at once as it is told by a message { concurrency, seconds }, and answers with
 * { runs, seconds, p50, p99 }, the latencies in ms. Nobody waits for a turn: who has ended begins again.
 */

/** `open` makes what one worker does; workers are kept. */
exports.drive = (open) => {
  const workers = [];
  process.on('message', async ({ concurrency, seconds }) => {
    while (workers.length < concurrency) workers.push(await open());
    const latencies = [];
    const started = performance.now();
    const end = started + seconds * 1000;
    const work = async (run) => {
      for (let at = performance.now(); at < end; ) {
        await run();
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(workers.slice(0, concurrency).map(work));
    const elapsed = (performance.now() - started) / 1000;
    const sorted = Float64Array.from(latencies).sort();
    const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
    process.send({ runs: sorted.length, seconds: elapsed, p50: at(0.5), p99: at(0.99) });
  });
  process.on('disconnect', () => process.exit());
  process.send('ready');
};
