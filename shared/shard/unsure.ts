import { Failure } from '../failure';

/** 503 `table_unavailable`: soon again, since it heals by itself; in seconds (RFC 9110 section 10.2.3). */
export const unsure = (): Failure =>
  new Failure('table_unavailable', { headers: { 'retry-after': '1' } });
