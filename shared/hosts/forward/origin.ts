/**
 * The connections to one server behind: those that are free are kept for a while, and there are as many as there are
 * requests under way. Whoever must bound that counts requests.
 */
import { Connection, type Target } from './connection';

/** How long a free one is kept where the other side does not say, ms: less than servers usually wait (5 s). */
const KEEP = 4_000;
const MAX_KEEP = 600_000;
/** Before the other side ends it, ms. */
const MARGIN = 1_000;
/** Free ones. */
const MAX_FREE = 256;
/** How exact deadlines are, ms. */
const GRAIN = 100;

export class Origin {
  /** Scheme, host and port. */
  readonly url: string;
  /** Host and port, as a Host field has them. */
  readonly authority: string;
  private readonly target: Target;
  private readonly free: Connection[] = [];
  private readonly all = new Set<Connection>();
  private watch: NodeJS.Timeout | undefined;
  private closing: (() => void) | undefined;

  constructor(
    url: URL,
    private readonly tls: typeof import('node:tls') | undefined,
  ) {
    const isSecure = url.protocol === 'https:';
    this.url = url.origin;
    this.authority = url.host;
    this.target = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (isSecure ? 443 : 80)),
      isSecure,
    };
  }

  /** Whether it has no connection. */
  get isIdle(): boolean {
    return this.all.size === 0;
  }

  /** The one that was used last, or a new one. */
  take(): Connection {
    return this.free.pop() ?? this.open();
  }

  /** One that has served nobody yet. */
  open(): Connection {
    const connection = new Connection(this.target, this.tls, () => this.lose(connection));
    this.all.add(connection);
    this.watch ??= setInterval(() => this.look(), GRAIN).unref();
    return connection;
  }

  /** Another may have it. `keepAlive`: that field of the answer. */
  give(connection: Connection, keepAlive: string | undefined): void {
    const keep = keepTime(keepAlive);
    connection.user = undefined;
    if (keep <= 0 || this.closing || this.free.length >= MAX_FREE) return void connection.destroy();
    connection.isKept = true;
    connection.due = performance.now() + keep;
    this.free.push(connection);
  }

  /** Resolves when what is under way has ended. */
  close(): Promise<void> {
    for (const connection of this.free.splice(0)) connection.destroy();
    return new Promise((resolve) => {
      this.closing = resolve;
      if (this.all.size === 0) resolve();
    });
  }

  private look(): void {
    const now = performance.now();
    for (const connection of this.all)
      if (connection.due <= now) {
        if (connection.user) connection.user.expired();
        else connection.destroy();
      }
  }

  private lose(connection: Connection): void {
    this.all.delete(connection);
    const place = this.free.indexOf(connection);
    if (place >= 0) this.free.splice(place, 1);
    if (this.all.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
    this.closing?.();
  }
}

/** As `Keep-Alive: timeout=5` says it. */
const keepTime = (keepAlive: string | undefined): number => {
  const seconds = keepAlive && /(?:^|[\t ,])timeout=(\d{1,6})/i.exec(keepAlive)?.[1];
  return seconds ? Math.min(Number(seconds) * 1000 - MARGIN, MAX_KEEP) : KEEP;
};
