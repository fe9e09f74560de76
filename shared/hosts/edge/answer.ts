/** From what a handler answers to what workerd sends. */
import { Answer } from '../../http/answer';
import { type EdgeResponse, edge } from './runtime';

/** Fields to add, name and value in turn. */
export const toResponse = (response: Response, add: readonly string[]): EdgeResponse => {
  // What is not of the runtime is one of ours, or an answer like it.
  if (!(response instanceof edge.Response)) return build(response, add);
  try {
    return append(response, add);
  } catch {
    // The fields of an answer that comes straight from fetch cannot be changed.
    return append(new edge.Response(response.body, response as never), add);
  }
};

const append = (response: EdgeResponse, add: readonly string[]): EdgeResponse => {
  for (let i = 0; i < add.length; i += 2)
    response.headers.append(add[i] as string, add[i + 1] as string);
  return response;
};

const build = (response: Response, add: readonly string[]): EdgeResponse => {
  const { status } = response;
  const headers = new Headers();
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') headers.append(name, value);
  });
  for (const cookie of response.headers.getSetCookie()) headers.append('set-cookie', cookie);
  for (let i = 0; i < add.length; i += 2) headers.append(add[i] as string, add[i + 1] as string);
  // The bytes are as the handler wants them, whatever content-encoding it names.
  return new edge.Response(bodyOf(response), { status, headers, encodeBody: 'manual' });
};

const bodyOf = (response: Response): ReadableStream<Uint8Array> | string | Uint8Array | null => {
  if (response.status === 204 || response.status === 304) return null;
  return response instanceof Answer ? response.whole : response.body;
};
