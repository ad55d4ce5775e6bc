/**
 * Clients of the load: bare connections and ioredis, behind one interface. Neither repeats a command: after a lost
 * connection an outcome is unknown, and the client goes on under another name, as the checker wants it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Connection, ErrorReply, type Reply } from './connection.js';

export interface LoadClient {
  /** Of the present connection. */
  readonly name: string;
  /** Waits until there is a connection; false when the client was closed instead. */
  untilConnected(): Promise<boolean>;
  /** One write of these commands; `onReply` is called for each, in order, with undefined when its reply will not come. */
  pipeline(commands: readonly (readonly string[])[], onReply: (index: number, reply: Reply | undefined) => void): void;
  close(): void;
}

const RECONNECT_MS = 100;

/** Which proxy, by the number of the attempt: a client tries the next one when it loses its connection. */
type ChooseProxy = (attempt: number) => { readonly host: string; readonly port: number };

export class BareClient implements LoadClient {
  private readonly id: string;
  private readonly choose: ChooseProxy;
  private connection: Connection | null = null;
  private attempts = 0;
  private closed = false;

  constructor(id: string, choose: ChooseProxy) {
    this.id = id;
    this.choose = choose;
  }

  get name(): string {
    return `${this.id}-${this.attempts}`;
  }

  async untilConnected(): Promise<boolean> {
    while (!this.closed && (this.connection === null || this.connection.closed)) {
      this.attempts++;
      const { host, port } = this.choose(this.attempts);
      try {
        this.connection = await Connection.open(host, port);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await delay(RECONNECT_MS); // the proxy is starting again
      }
    }
    return !this.closed;
  }

  pipeline(commands: readonly (readonly string[])[], onReply: (index: number, reply: Reply | undefined) => void): void {
    if (this.connection === null) commands.forEach((_, index) => onReply(index, undefined));
    else this.connection.pipeline(commands, onReply);
  }

  close(): void {
    this.closed = true;
    this.connection?.end();
  }
}

class IoredisClient implements LoadClient {
  private readonly id: string;
  private readonly redis: Redis;
  private connections = 0;
  private closed = false;
  /** The last thing that went wrong, for whoever looks into it. */
  lastError = '';

  constructor(id: string, choose: ChooseProxy) {
    this.id = id;
    this.redis = new Redis({
      ...choose(1),
      protocol: 2, // the checker knows replies as RESP2 shows them
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => RECONNECT_MS,
    });
    this.redis.on('ready', () => this.connections++);
    this.redis.on('error', (error) => {
      this.lastError = String(error);
    });
  }

  get name(): string {
    return `${this.id}-${this.connections}`;
  }

  async untilConnected(): Promise<boolean> {
    while (!this.closed && this.redis.status !== 'ready') await delay(RECONNECT_MS / 2);
    return !this.closed;
  }

  pipeline(commands: readonly (readonly string[])[], onReply: (index: number, reply: Reply | undefined) => void): void {
    commands.forEach(([name = '', ...args], index) => {
      this.redis.call(name, ...args).then(
        (reply) => onReply(index, reply as Reply),
        (error: unknown) => onReply(index, isReplyError(error) ? new ErrorReply(error.message) : undefined),
      );
    });
  }

  close(): void {
    this.closed = true;
    this.redis.disconnect();
  }
}

/** The `at`th client: it begins at one proxy and tries the next one whenever it loses its connection. */
export function newClient(
  kind: 'bare' | 'ioredis',
  name: string,
  at: number,
  proxies: readonly { readonly host: string; readonly port: number }[],
): LoadClient {
  const choose: ChooseProxy = (attempt) => {
    const proxy = proxies[(at + attempt) % proxies.length];
    if (proxy === undefined) throw new Error('there is no proxy');
    return proxy;
  };
  return kind === 'bare' ? new BareClient(name, choose) : new IoredisClient(name, choose);
}

function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
