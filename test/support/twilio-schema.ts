/**
 * What Twilio's API takes for text messages, as JSON Schemas of parameters: names, types, patterns and enumerations are
 * those of the description that Twilio publishes (twilio/twilio-oai, spec/json/twilio_api_v2010.json, operations
 * CreateMessage and ListMessage). Nothing here comes from the code under test.
 */
import Ajv, { type ValidateFunction } from 'ajv';

const sid = (prefix: string) =>
  ({
    type: 'string',
    minLength: 34,
    maxLength: 34,
    pattern: `^${prefix}[0-9a-fA-F]{32}$`,
  }) as const;
const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const phone = { type: 'string', format: 'phone-number' } as const;
const uri = { type: 'string', format: 'uri' } as const;
const instant = { type: 'string', format: 'date-time' } as const;
const oneOf = (...values: string[]) => ({ type: 'string', enum: values }) as const;

const CREATE_MESSAGE = {
  type: 'object',
  required: ['To'],
  additionalProperties: false,
  properties: {
    To: phone,
    StatusCallback: uri,
    ApplicationSid: sid('AP'),
    MaxPrice: { type: 'number' },
    ProvideFeedback: flag,
    Attempt: { type: 'integer' },
    ValidityPeriod: { type: 'integer' },
    ForceDelivery: flag,
    ContentRetention: oneOf('retain', 'discard'),
    AddressRetention: oneOf('retain', 'obfuscate'),
    SmartEncoded: flag,
    PersistentAction: { type: 'array', items: text },
    TrafficType: oneOf('free'),
    ShortenUrls: flag,
    ScheduleType: oneOf('fixed'),
    SendAt: instant,
    SendAsMms: flag,
    ContentVariables: text,
    RiskCheck: oneOf('enable', 'disable'),
    From: phone,
    FallbackFrom: phone,
    MessagingServiceSid: sid('MG'),
    Body: text,
    MediaUrl: { type: 'array', items: text },
    ContentSid: sid('HX'),
  },
} as const;

const LIST_MESSAGES = {
  type: 'object',
  additionalProperties: false,
  properties: {
    To: phone,
    From: phone,
    DateSent: instant,
    'DateSent<': instant,
    'DateSent>': instant,
    PageSize: { type: 'integer', minimum: 1, maximum: 1000 },
    Page: { type: 'integer', minimum: 0 },
    PageToken: text,
  },
} as const;

export const MESSAGE_STATUS = [
  'queued',
  'sending',
  'sent',
  'failed',
  'delivered',
  'undelivered',
  'receiving',
  'received',
  'accepted',
  'scheduled',
  'read',
  'partially_delivered',
  'canceled',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUS)[number];

// On the wire each is text: a parameter that is to be a number or a flag has to read as one.
const ajv = new Ajv({ strict: true, coerceTypes: 'array' });
ajv.addFormat('phone-number', /^\+[1-9]\d{6,14}$/);
ajv.addFormat(
  'uri',
  (value) =>
    /^https?:\/\/[^_]*$/.test(value.split('/').slice(0, 3).join('/')) && URL.canParse(value),
);
ajv.addFormat(
  'date-time',
  (value) => /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value)),
);

const checkCreate = ajv.compile(CREATE_MESSAGE);
const checkList = ajv.compile(LIST_MESSAGES);

export type Parameters = Readonly<Record<string, string>>;

export interface Mistake {
  readonly parameter: string;
  readonly isMissing: boolean;
}

/** The first mistake. A name that comes twice is one, where the schema does not say that it may. */
const mistakeOf = (check: ValidateFunction, form: URLSearchParams): Mistake | undefined => {
  const values: Record<string, string | string[]> = {};
  for (const name of new Set(form.keys())) {
    const all = form.getAll(name);
    values[name] = all.length === 1 ? (all[0] as string) : all;
  }
  if (check(values)) return undefined;
  const [error] = check.errors ?? [];
  const { missingProperty, additionalProperty } = (error?.params ?? {}) as Record<string, string>;
  const parameter =
    missingProperty ?? additionalProperty ?? error?.instancePath.split('/')[1] ?? '';
  return { parameter, isMissing: missingProperty !== undefined };
};

export const mistakeInMessage = (form: URLSearchParams) => mistakeOf(checkCreate, form);
export const mistakeInList = (query: URLSearchParams) => mistakeOf(checkList, query);
