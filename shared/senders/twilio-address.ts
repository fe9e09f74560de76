/**
 * Where a call of the SDK may go with our credentials. Fails closed: lists hold links to their next page, and the SDK
 * follows them wherever they point.
 */

/**
 * The same path at the configured base; without one the URL itself, when it is Twilio's over TLS, which TWILIO_EDGE and
 * TWILIO_REGION may have changed. To a base the SDK would do so too: it takes any host for one of Twilio's names.
 */
export const apiAddress = (asked: string, base: string | undefined): string => {
  const { origin, pathname, search, protocol, hostname, port } = new URL(asked);
  if (base !== undefined) return new URL(base).origin + pathname + search;
  if (protocol === 'https:' && port === '' && /^api\.(?:[\w-]+\.){0,2}twilio\.com$/.test(hostname))
    return origin + pathname + search;
  throw new TypeError('not an address of the API');
};
