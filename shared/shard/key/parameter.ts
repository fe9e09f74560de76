/** A key out of the query: the first parameter of a name, raw or decoded. */
import { decodeForm, formParameter, queryOf, rawParameter } from '../../http/query';
import type { Key } from './key';
import { octetsOf, type ToOctets, toKey } from './octets';
import type { Wire } from './wire';

export interface ParameterOptions {
  readonly query: string;
  /** @default as the peer */
  readonly decode?: boolean;
  readonly octets: ToOctets;
  readonly wire: Wire;
}

export const parameterReader = ({
  query: name,
  decode,
  octets,
  wire: { decodesQuery, parameters, keepsEmpty },
}: ParameterOptions): ((request: Request) => Key | undefined) => {
  const source = `query ${name}`;
  const isDecoded = decode ?? decodesQuery;
  const spelled = octetsOf(parameters.anyCase ? name.toLowerCase() : name);
  return ({ url }) => {
    const query = octets(queryOf(url) ?? '');
    const raw = isDecoded ? formParameter(query, name) : rawParameter(query, spelled, parameters);
    if (raw === undefined || (raw === '' && !keepsEmpty)) return undefined;
    return { value: (isDecoded ? decodeForm(raw) : undefined) ?? toKey(raw), source };
  };
};
