/**
 * The fields of a request that do not go on as they came: what they say, and whether it can be read in one way only.
 *
 * Fails closed: two lengths, two hosts, a length and chunks, or another coding are refused.
 */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../../failure';

/** What is looked at; the rest goes on as it is. */
export const LOOKED_AT: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'via',
  'traceparent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** What the fields of one request say of its body, its way and its caller. */
export class SeenFields {
  host: string | undefined;
  length: string | undefined;
  coding: string | undefined;
  trailer: string | undefined;
  takesTrailers = false;
  via = '';
  forwardedFor = '';
  forwardedHost = '';
  forwardedProto = '';

  note(name: string, value: string, named: readonly string[] | undefined): void {
    switch (name) {
      case 'host':
        if (this.host !== undefined) throw refusal('The request has two hosts.');
        this.host = value;
        break;
      case 'content-length':
        if (this.length !== undefined) throw refusal('The request has two lengths.');
        this.length = value;
        break;
      case 'transfer-encoding':
        this.coding = this.coding === undefined ? value : `${this.coding}, ${value}`;
        break;
      case 'trailer':
        this.trailer = this.trailer === undefined ? value : `${this.trailer}, ${value}`;
        break;
      case 'te':
        this.takesTrailers ||= /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(value);
        break;
      case 'via':
        this.via += `${value}, `;
        break;
      case 'x-forwarded-for':
        if (!named?.includes(name)) this.forwardedFor += `${value}, `;
        break;
      case 'x-forwarded-host':
        this.forwardedHost = value;
        break;
      case 'x-forwarded-proto':
        this.forwardedProto = value;
        break;
    }
  }

  /** The parser of node:http has refused most already; what it lets through must mean one thing. */
  check({ httpVersion }: IncomingMessage): void {
    const { coding, length } = this;
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw refusal('The length of the body is not a number.');
    if (coding === undefined) return;
    if (length !== undefined) throw refusal('The request has a length and chunks.');
    if (httpVersion === '1.0') throw refusal('HTTP/1.0 has no transfer coding.');
    if (coding.toLowerCase() !== 'chunked') throw refusal('The only transfer coding is chunked.');
  }
}

const refusal = (detail: string): Failure =>
  new Failure('invalid_request', { detail, headers: { connection: 'close' } });
