/** What a router does where its settings say nothing, as it would be written there, and the most that they may say. */
export const DEFAULTS = {
  onDown: 'fail',
  retryFor: '2s',
  answer: 'proxy',
  /** Of `"bound": true`. */
  bound: 1.25,
  health: { failures: 3, open: '10s', active: { every: '5s', timeout: '1s' } },
  timeout: '30s',
  streams: { window: '5s', grace: '30s', retry: '1s', idle: '5m' },
} as const;

/** Every wait has an end. */
export const LONGEST = {
  retryFor: '1m',
  ttl: '1d',
  /** A factor beyond which a bound binds nobody. */
  bound: 1000,
  open: '1h',
  every: '1h',
  checkTimeout: '1m',
  timeout: '1h',
  streams: { window: '1h', grace: '1h', retry: '1h', maxAge: '30d', idle: '1d' },
} as const;
