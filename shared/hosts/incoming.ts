/** What the head of a request from node:http says of itself. */
import type { IncomingMessage } from 'node:http';
import { type Random, randomId } from '../random';
import { continueTrace } from '../trace';

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

export const identify = (
  { headers }: IncomingMessage,
  random: Random,
): { id: string; traceparent: string } => {
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomId(random);
  const { traceparent } = headers;
  return {
    id,
    traceparent: continueTrace(typeof traceparent === 'string' ? traceparent : null, random),
  };
};

/** Path and query as they came; an absolute form (RFC 9112 section 3.2.2) without its scheme and host. */
export const targetOf = ({ url: target = '/' }: IncomingMessage): string => {
  if (target.startsWith('/')) return target;
  return /^https?:\/\/[^/?]*(\/.*)?$/i.exec(target)?.[1] ?? '/';
};

export const pathOf = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
};

export const queryOf = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query);
};
