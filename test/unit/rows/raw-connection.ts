/** A RESP connection that gives back replies byte for byte, for comparing what two servers answer. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class RawConnection {
  readonly #socket: Socket;
  #received = '';
  #waiting: ((reply: string) => void)[] = [];
  #failed: ((error: Error) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received += chunk.latin1Slice();
      this.#deliver();
    });
    socket.on('close', () => this.#failed?.(new Error('the connection was closed')));
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** The reply as latin1 text. */
  send(args: readonly (string | Buffer)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#failed = reject;
      const pieces = args.map((argument) => (typeof argument === 'string' ? Buffer.from(argument) : argument));
      this.#socket.write(
        Buffer.concat([
          Buffer.from(`*${pieces.length}\r\n`),
          ...pieces.flatMap((piece) => [Buffer.from(`$${piece.length}\r\n`), piece, Buffer.from('\r\n')]),
        ]),
      );
    });
  }

  close(): void {
    this.#failed = null;
    this.#socket.destroy();
  }

  #deliver(): void {
    for (;;) {
      const end = endOfReply(this.#received, 0);
      const resolve = this.#waiting[0];
      if (end < 0 || resolve === undefined) return;
      this.#waiting.shift();
      const reply = this.#received.slice(0, end);
      this.#received = this.#received.slice(end);
      resolve(reply);
    }
  }
}

/** Where the reply that begins at `at` ends, -1 while it is incomplete. */
function endOfReply(text: string, at: number): number {
  const line = text.indexOf('\r\n', at);
  if (line < 0) return -1;
  const kind = text[at] ?? '';
  const length = Number(text.slice(at + 1, line));
  let end = line + 2;
  if ('$='.includes(kind)) {
    if (length >= 0) end += length + 2;
    return end <= text.length ? end : -1;
  }
  if (!'*%~>'.includes(kind)) return end;
  const items = kind === '%' ? 2 * length : length;
  for (let i = 0; i < items; i++) {
    end = endOfReply(text, end);
    if (end < 0) return -1;
  }
  return end;
}
