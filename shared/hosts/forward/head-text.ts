/** The bytes of a head, from names and values that handlers may have made. Fails closed: nothing in them can end a line. */
import { isHopByHop } from '../../http/hop-by-hop';

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Puts a field behind the others, or in place of Host. Throws a TypeError for one that frames the message. */
export const setField = (fields: string[], name: string, value: string | undefined): void => {
  const lower = name.toLowerCase();
  if (lower === 'host' && value !== undefined) fields[1] = valid(name, value);
  else if (value !== undefined) {
    if (isHopByHop(lower) || lower === 'content-length' || lower === 'expect')
      throw new TypeError(`forward frames the request by itself: it takes no ${name}`);
    if (!TOKEN.test(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
    fields.push(name, valid(name, value));
  }
};

/** RFC 9110 section 5.5: nothing that could end the line and begin another. */
const valid = (name: string, value: string): string => {
  if (!VALUE.test(value)) throw new TypeError(`not a value for the header ${name}`);
  return value;
};

const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

/** The request line and the fields, without the empty line. Throws a TypeError for what is no request line. */
export const headText = (method: string, path: string, fields: readonly string[]): string => {
  if (!PATH.test(path)) throw new TypeError('the path to forward to is not one');
  if (!TOKEN.test(method)) throw new TypeError('the method to forward with is not one');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
};
