/** Whether a host is this machine, so that nobody else can listen on the way. */
import { isIP } from 'node:net';

/** Of a URL's hostname, in lower case, IPv6 with or without brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  host === '[::1]' ||
  (isIP(host) === 4 && host.startsWith('127.'));
