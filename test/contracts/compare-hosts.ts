/** What two hosts must give alike, and where they are known to differ. */
import type { RawAnswer } from '../support/raw-http';
import type { HostCase } from './host';
import { HOST_DIFFERENCES, type HostDifference } from './host-differences';

export const differenceOn =
  (host: HostDifference['host']) =>
  ({ name }: HostCase): HostDifference | undefined =>
    HOST_DIFFERENCES.find((one) => one.host === host && one.cases?.includes(name));

/** How a connection goes on is each host's own; the order of fields means nothing. */
const FRAMING = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** A length is framing, too, where one host declares it and the other sends chunks. */
export const isChunked = ({ headers }: RawAnswer): boolean =>
  new Map(headers).has('transfer-encoding');

export const comparable = ({ status, headers, body, broken }: RawAnswer, chunked: boolean) => ({
  status,
  headers: headers
    .filter(([name]) => !FRAMING.has(name) && !(chunked && name === 'content-length'))
    .map(([name, value]) => `${name}: ${value}`)
    .sort(),
  body: body.toString('latin1'),
  broken,
});
