/** A client that sends any bytes and reads what comes back, for tests of the RESP port. */
import { connect, type Socket } from 'node:net';
import Parser from 'redis-parser';

const DEADLINE_MS = 10_000;

export class RespClient {
  readonly replies: unknown[] = [];
  raw = '';
  closed = false;
  readonly socket: Socket;
  private waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const parser = new Parser({
      returnReply: (reply) => this.replies.push(reply),
      returnError: (error) => this.replies.push(`-${error.message}`),
      returnFatalError: (error) => this.replies.push(`fatal ${error.message}`),
    });
    socket.on('data', (chunk: Buffer) => {
      this.raw += chunk.toString('latin1');
      parser.execute(chunk);
      this.wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
    // A connection that the other side reset: 'close' follows.
    socket.on('error', () => this.wake());
  }

  static open(port: number): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RespClient(socket)));
    });
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const run of waiting) run();
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Waits for a condition that replies or the connection's end can make true. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`waited in vain for ${what}; replies: ${JSON.stringify(this.replies).slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The next `count` replies after those already there. */
  async exchange(bytes: string | Buffer, count = 1): Promise<unknown[]> {
    const from = this.replies.length;
    this.send(bytes);
    await this.until(() => this.replies.length >= from + count || this.closed, `${count} replies`);
    return this.replies.slice(from);
  }

  async command(...words: (string | Buffer)[]): Promise<unknown> {
    return (await this.exchange(encodeCommand(words)))[0];
  }

  end(): void {
    this.socket.destroy();
  }
}

export function encodeCommand(words: readonly (string | Buffer)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word, 'latin1') : word;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(pieces);
}
