/**
 * One request on its way to a server behind, and its answer on its way back.
 *
 * A kept connection that is lost before anything was written costs nothing; where one is lost before the first byte of the
 * answer, a request that may be repeated (RFC 9110 section 9.2.2) is sent once more. Fails closed: what is not one whole
 * answer by the letter breaks off, and its connection is not used again.
 */
import type { ServerResponse } from 'node:http';
import { asFailure, Failure } from '../../failure';
import type { ForwardOptions } from '../../handler';
import { trailersOnward } from '../../http/hop-by-hop';
import { awaitsContinue } from '../expect';
import { ForwardedAnswer } from '../forwarded-answer';
import { type AnswerHead, NotHttp } from './answer-head';
import { type AnswerEvents, AnswerReader } from './answer-reader';
import type { Connection, User } from './connection';
import { codeOf, unsent } from './failures';
import { sendInformation } from './information';
import type { Order } from './order';
import type { Origin } from './origin';
import { inTurn } from './turns';
import { Upload, type UploadEvents } from './upload';

export interface ExchangeOptions {
  readonly origin: Origin;
  readonly order: Order;
  /** Who waits for the answer. */
  readonly outgoing: ServerResponse;
  /** Ends the exchange; in its absence the client does, by leaving. */
  readonly signal: AbortSignal | undefined;
  /** For the head of the answer, ms. */
  readonly timeout: number;
  /** Between two parts of its body, ms. */
  readonly idle: number;
  readonly onStream: ForwardOptions['onStream'];
  readonly onEnd: (() => void) | undefined;
  readonly resolve: (answer: Response) => void;
  readonly reject: (failure: unknown) => void;
}

const CONNECT_TIMEOUT = 5_000;
/** How long a client may take nothing at all, ms: what is slow is not gone, and takes some now and then. */
const CLIENT_PATIENCE = 600_000;

export class Exchange implements User, AnswerEvents, UploadEvents {
  private connection!: Connection;
  private reader: AnswerReader;
  private upload: Upload | undefined;
  private answer: ForwardedAnswer | undefined;
  private client: NodeJS.EventEmitter | undefined;
  private isSent = false;
  private isRepeated = false;
  private isOver = false;
  private isPaused = false;

  constructor(private readonly options: ExchangeOptions) {
    this.reader = new AnswerReader(options.order.isHead, this);
  }

  start(): void {
    const { signal, outgoing, origin } = this.options;
    if (signal) signal.addEventListener('abort', this.cancel, { once: true });
    else this.client = clientOf(outgoing).on('close', this.cancel);
    this.use(origin.take());
  }

  /** Nobody waits for it any more. */
  readonly cancel = (): void => {
    if (!this.isOver) this.fail(new Failure('aborted'));
  };

  /** Of the answer: its client takes no more for now. */
  pause(): void {
    if (this.isOver) return;
    this.isPaused = true;
    this.connection.socket.pause();
    this.connection.due = performance.now() + CLIENT_PATIENCE;
  }

  resume(): void {
    if (this.isOver || !this.isPaused) return;
    this.isPaused = false;
    this.connection.due = performance.now() + this.options.idle;
    this.connection.socket.resume();
  }

  ready(): void {
    const { body, head, length } = this.options.order;
    const { socket } = this.connection;
    this.isSent = true;
    this.sent();
    if (body === undefined) return void socket.write(head, 'latin1');
    // Head and body in one piece, as far as it is there.
    socket.cork();
    socket.write(head, 'latin1');
    if (typeof body === 'string' || body instanceof Uint8Array) {
      socket.write(body);
      socket.uncork();
      return;
    }
    process.nextTick(() => socket.uncork());
    // Who waits for 100 (Continue) waits for the server behind.
    if (!awaitsContinue(this.options.outgoing.req)) this.moved(false);
    this.upload = new Upload(body, socket, length, this);
    this.upload.start();
  }

  sent(): void {
    if (!this.reader.head) this.connection.due = performance.now() + this.options.timeout;
  }

  /** While the client is slow with its body nobody else is: its own server bounds that. */
  moved(isBlocked: boolean): void {
    if (this.isOver || this.isPaused) return;
    const { timeout, idle } = this.options;
    const wait = this.reader.head ? idle : isBlocked ? timeout : Number.POSITIVE_INFINITY;
    this.connection.due = performance.now() + wait;
  }

  broken(): void {
    this.cancel();
  }

  drained(): void {
    this.upload?.drained();
  }

  read(bytes: Buffer): void {
    const { reader } = this;
    // Nothing was asked yet: it answers an earlier request, or none. Another connection will do.
    if (!this.isSent) return void this.connection.socket.destroy();
    try {
      const end = reader.read(bytes);
      if (this.isOver || !reader.head) return;
      if (reader.isDone) this.complete(end === bytes.length);
      else this.give();
    } catch (cause) {
      this.fail(new Failure('upstream_invalid', { cause }));
    }
  }

  onInformation(status: number, fields: readonly string[]): void {
    sendInformation(this.options.outgoing, status, fields);
    if (this.upload?.isDone === false) this.moved(false);
  }

  onHead(head: AnswerHead): void {
    this.connection.due = performance.now() + this.options.idle;
    this.answer = new ForwardedAnswer(head, this, this.options.onEnd);
  }

  onData(part: Buffer): void {
    if (!this.isPaused) this.connection.due = performance.now() + this.options.idle;
    this.answer?.take(part);
  }

  expired(): void {
    if (this.isSent) this.fail(new Failure('upstream_timeout'));
    else
      this.fail(unsent('upstream_timeout', new NotHttp('no connection in time'), this.isRepeated));
  }

  closed(isEnd: boolean, error: Error | undefined): void {
    const { origin, order } = this.options;
    const { isKept } = this.connection;
    const { reader, isSent } = this;
    if (!isSent && isKept) return void this.use(origin.take());
    if (!isSent) return void this.fail(unsent(codeOf(error), error, this.isRepeated));
    if (isEnd && reader.end()) return void this.complete(false);
    const code = reader.hasBegun && !reader.head ? 'upstream_invalid' : 'upstream_unreachable';
    if (reader.hasBegun || !isKept || !order.isRepeatable || this.isRepeated)
      return void this.fail(new Failure(code, { cause: error ?? new NotHttp('no whole answer') }));
    this.isRepeated = true;
    this.isSent = false;
    this.use(origin.open());
  }

  private use(connection: Connection): void {
    this.connection = connection;
    connection.user = this;
    connection.due = performance.now() + CONNECT_TIMEOUT;
    if (connection.isOpen) inTurn(connection);
  }

  /** The answer to whoever asked for it: once, when all that has come with its head is in it. */
  private give(): void {
    const { answer } = this;
    if (!answer || answer.isGiven) return;
    const { onStream, resolve } = this.options;
    try {
      if (onStream && !this.reader.isDone) answer.live(onStream);
    } catch (thrown) {
      return void this.fail(asFailure(thrown));
    }
    answer.isGiven = true;
    resolve(answer as unknown as Response);
  }

  /** `isExact`: nothing came behind it. */
  private complete(isExact: boolean): void {
    const { connection, reader, upload } = this;
    const { origin } = this.options;
    // The next one wants to hear its answer.
    this.resume();
    this.leave();
    const { keep = false, keepAlive } = reader.head ?? {};
    if (keep && isExact && (upload?.isDone ?? true)) origin.give(connection, keepAlive);
    else connection.destroy();
    if (upload && !upload.isDone) upload.stop();
    this.answer?.finish(undefined, trailersOnward(reader.trailers));
    this.give();
  }

  private fail(failure: Failure): void {
    if (this.isOver) return;
    this.leave();
    this.connection.destroy();
    if (this.upload && !this.upload.isDone) this.upload.stop();
    this.answer?.finish(failure);
    if (!this.isSent && !this.isRepeated) this.options.order.giveBack?.();
    if (this.answer?.isGiven !== true) this.options.reject(failure);
  }

  private leave(): void {
    this.isOver = true;
    // There may be many tries for one client, and many requests of one.
    this.client?.off('close', this.cancel);
    this.options.signal?.removeEventListener('abort', this.cancel);
  }
}

/** Who tells that the client has left: an answer that waits for the one before it has no connection yet. */
const clientOf = (outgoing: ServerResponse): NodeJS.EventEmitter =>
  outgoing.socket ? outgoing : outgoing.req.socket;
