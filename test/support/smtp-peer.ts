import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** What came over the wire, before anything was parsed. */
export interface ReceivedMail {
  readonly from: string;
  /** Every RCPT TO that was taken, in order. */
  readonly recipients: readonly string[];
  /** Header and body as they came, CRLF line ends. */
  readonly raw: string;
}

/** `data`: after the message came, before it counts as taken; `accepted`: after it counts. */
export interface SmtpFault {
  readonly at: 'connect' | 'auth' | 'mail' | 'rcpt' | 'data' | 'accepted';
  /** A reply code such as 451 or 550, no answer at all, or a connection that breaks. */
  readonly does: number | 'hang' | 'drop';
}

export interface SmtpPeerOptions {
  /** Then AUTH is required. @default none */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Offers STARTTLS with a certificate that nobody should trust. @default false */
  readonly startTls?: boolean;
}

export interface SmtpPeer {
  /** For SMTP_URL, with the credentials. */
  readonly url: string;
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Connections opened so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly open: number;
  fault: SmtpFault | undefined;
  /** Reads nothing of what comes after DATA. @default false */
  stalls: boolean;
  close(): Promise<void>;
}

/** A real SMTP server on a free port of the loopback that keeps what it takes. */
export const startSmtpPeer = async ({
  credentials,
  startTls = false,
}: SmtpPeerOptions = {}): Promise<SmtpPeer> => {
  const mails: ReceivedMail[] = [];
  const sockets = new Map<number, Socket>();
  let connections = 0;
  let fault: SmtpFault | undefined;
  let stalls = false;

  type Done = (error?: Error | null) => void;
  /** Plays the fault of this stage, or goes on. A refusal quotes the address, as real servers do. */
  const stage = (at: SmtpFault['at'], port: number, quote: string, done: Done) => {
    if (fault?.at !== at) return done();
    const { does } = fault;
    if (does === 'hang') return;
    if (does === 'drop') return void sockets.get(port)?.destroy();
    done(Object.assign(new Error(`<${quote}> not here, says the peer`), { responseCode: does }));
  };

  const server = new SMTPServer({
    disableReverseLookup: true,
    allowInsecureAuth: true,
    authOptional: !credentials,
    disabledCommands: startTls ? [] : ['STARTTLS'],
    closeTimeout: 100,
    logger: false,
    onConnect: ({ remotePort }, done) => stage('connect', remotePort, 'you', done),
    onAuth: ({ username, password }, { remotePort }, done) =>
      stage('auth', remotePort, `${username} ${password}`, (error) => {
        const right = username === credentials?.user && password === credentials?.password;
        if (error || !right)
          return done(error ?? Object.assign(new Error('wrong'), { responseCode: 535 }));
        done(null, { user: username });
      }),
    onMailFrom: ({ address }, { remotePort }, done) => stage('mail', remotePort, address, done),
    onRcptTo: ({ address }, { remotePort }, done) => stage('rcpt', remotePort, address, done),
    onData: (stream, { envelope, remotePort }, done) => {
      if (stalls) return void sockets.get(remotePort)?.pause();
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const recipients = envelope.rcptTo.map(({ address }) => address);
        stage('data', remotePort, recipients.join(), (error) => {
          if (error) return done(error);
          mails.push({
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            recipients,
            raw: Buffer.concat(parts).toString('utf8'),
          });
          stage('accepted', remotePort, recipients.join(), done);
        });
      });
    },
  });
  // A client that breaks off in the middle is a case under test, not an error of the peer.
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    const port = socket.remotePort as number;
    connections++;
    sockets.set(port, socket);
    socket.on('close', () => sockets.delete(port));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const login = credentials
    ? `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`
    : '';
  return {
    url: `smtp://${login}127.0.0.1:${port}`,
    port,
    mails,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    get stalls() {
      return stalls;
    },
    set stalls(next) {
      stalls = next;
    },
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets.values()) socket.destroy();
        server.close(() => resolve());
      }),
  };
};
