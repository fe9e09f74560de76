const numberOf = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] || otherwise);
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be an integer`);
  return value;
};

/** FUZZ_SEED repeats a run; else every run is another one. */
export const SEED = numberOf('FUZZ_SEED', Math.floor(Math.random() * 2 ** 31));
/** How often each property is tried. FUZZ_RUNS=20000 looks longer. */
export const RUNS = numberOf('FUZZ_RUNS', 150);

/** Once a file: what to set to see the same again. */
export const announceSeed = (): void =>
  void process.stderr.write(`FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}\n`);

export const parameters = (share = 1): { readonly seed: number; readonly numRuns: number } => ({
  seed: SEED,
  numRuns: Math.max(1, Math.ceil(RUNS * share)),
});

/** More than any call may take, ms. */
export const PATIENCE = 5_000;
/** For a whole test, ms: grows with the runs. */
export const TIMEOUT = 30_000 + RUNS * 100;
