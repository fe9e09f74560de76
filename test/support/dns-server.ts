/** A small name server for tests (RFC 1035, RFC 2782), over UDP and TCP on one free port of this machine. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { ServiceRecord } from '../../shared/platform';

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
export type RecordType = keyof typeof TYPES;

/** Records, or how it fails: an error of its own, a refusal, no answer at all, or one that is no DNS. */
export type DnsAnswer =
  | readonly (string | ServiceRecord)[]
  | 'SERVFAIL'
  | 'REFUSED'
  | 'silence'
  | 'garbage';

export interface DnsServer {
  /** As `nodeNames` takes it. */
  readonly address: string;
  /** What was asked, as `udp SRV name`. */
  readonly questions: string[];
  /** Names that nobody has set do not exist; those that have some type have none of the others. */
  set(name: string, type: RecordType, answer: DnsAnswer): void;
  remove(name: string): void;
  stop(): Promise<void>;
}

const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
/** Of an answer over UDP, where the question does not say that it takes more. */
const PLAIN_SIZE = 512;
const HEADER = 12;
const OPT = 41;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** As it came, to be sent back. */
  readonly bytes: Buffer;
  /** How much of an answer it takes over UDP (RFC 6891 section 6.2.3). */
  readonly size: number;
}

export const startDnsServer = async (): Promise<DnsServer> => {
  const zone = new Map<string, Map<string, DnsAnswer>>();
  const questions: string[] = [];
  const sockets = new Set<Socket>();

  const answer = (message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const question = readQuestion(message);
    questions.push(`${transport} ${question.type} ${question.name}`);
    const types = zone.get(question.name);
    const found = types?.get(question.type) ?? [];
    if (found === 'silence') return undefined;
    if (found === 'garbage') return Buffer.concat([message.subarray(0, 2), Buffer.alloc(7, 0xff)]);
    if (typeof found === 'string') return reply(question, { code: found });
    if (!types) return reply(question, { code: 'NXDOMAIN' });
    const records = found.map((record) => recordOf(record, question.type));
    const whole = reply(question, { code: 'NOERROR', records });
    const isTooLong = transport === 'udp' && whole.length > question.size;
    return isTooLong ? reply(question, { code: 'NOERROR', truncated: true }) : whole;
  };

  const { tcp, udp, port } = await listen();
  udp.on('message', (message, { address, port: to }) => {
    const bytes = answer(message, 'udp');
    if (bytes) udp.send(bytes, to, address);
  });
  tcp.on('connection', (socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    let held = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      // Each message has its length before it (RFC 1035 section 4.2.2).
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
        const length = held.readUInt16BE();
        const bytes = answer(held.subarray(2, 2 + length), 'tcp');
        held = held.subarray(2 + length);
        if (bytes) socket.write(Buffer.concat([word(bytes.length), bytes]));
      }
    });
  });

  return {
    address: `127.0.0.1:${port}`,
    questions,
    set: (name, type, records) =>
      void zone.set(name, (zone.get(name) ?? new Map()).set(type, records)),
    remove: (name) => void zone.delete(name),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      udp.close();
      tcp.close();
      await Promise.all([once(udp, 'close'), once(tcp, 'close')]);
    },
  };
};

/** A port that is free for both. */
const listen = async (): Promise<{ tcp: Server; udp: UdpSocket; port: number }> => {
  for (let tries = 1; ; tries += 1) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    const udp = createSocket('udp4').bind(port, '127.0.0.1');
    try {
      await once(udp, 'listening');
      return { tcp, udp, port };
    } catch (error) {
      tcp.close();
      if (tries === 10) throw error;
    }
  }
};

const readQuestion = (message: Buffer): Question => {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const number = message.readUInt16BE(at + 1);
  const end = at + 5;
  // The only record that a question has beside itself; its class is a size.
  const hasSize = message.readUInt16BE(10) > 0 && message.readUInt16BE(end + 1) === OPT;
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: Object.entries(TYPES).find(([, code]) => code === number)?.[0] ?? `${number}`,
    bytes: message.subarray(HEADER, end),
    size: hasSize ? Math.max(message.readUInt16BE(end + 3), PLAIN_SIZE) : PLAIN_SIZE,
  };
};

interface Reply {
  readonly code: keyof typeof RCODES;
  readonly records?: readonly Buffer[];
  readonly truncated?: boolean;
}

const reply = (
  { id, bytes }: Question,
  { code, records = [], truncated = false }: Reply,
): Buffer => {
  // An answer with authority, recursion wanted and had.
  const flags = 0x8580 | (truncated ? 0x0200 : 0) | RCODES[code];
  const counts = [1, records.length, 0, 0].map(word);
  return Buffer.concat([word(id), word(flags), ...counts, bytes, ...records]);
};

const recordOf = (record: string | ServiceRecord, type: string): Buffer => {
  const data = typeof record === 'string' ? addressBytes(record) : serviceBytes(record);
  const code = TYPES[type as RecordType];
  // The name is the one in the question; nobody may keep it.
  return Buffer.concat([
    ...[word(0xc000 + HEADER), word(code), word(1), Buffer.alloc(4), word(data.length)],
    data,
  ]);
};

const serviceBytes = ({ priority, weight, port, target }: ServiceRecord): Buffer => {
  const labels = target.split('.').filter((label) => label !== '');
  const name = labels.map((label) => Buffer.from(String.fromCharCode(label.length) + label));
  return Buffer.concat([word(priority), word(weight), word(port), ...name, Buffer.of(0)]);
};

const addressBytes = (address: string): Buffer => {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.concat([...before, ...zeros, ...after].map((group) => word(Number(`0x${group}`))));
};

const word = (number: number): Buffer => Buffer.of(number >> 8, number & 0xff);
