/**
 * One connection of a Redis client, as bare as it gets: commands go out in the order they are given, replies come back
 * to who asked. It never repeats a command and never reconnects by itself: what it was not answered is unknown.
 */
import { connect, type Socket } from 'node:net';
import Parser from 'redis-parser';
import { encodeCommand } from '../integration/resp-client.js';

/** An error reply: its text, as the server sent it. */
export class ErrorReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Reply = string | number | null | ErrorReply | readonly Reply[];

/** `reply` is undefined when the connection ended before it came. */
export type OnReply = (reply: Reply | undefined) => void;

const CONNECT_MS = 5_000;

export class Connection {
  private readonly socket: Socket;
  private readonly waiting: OnReply[] = [];
  private readonly onClose: () => void;
  private ended = false;

  private constructor(socket: Socket, onClose: () => void) {
    this.socket = socket;
    this.onClose = onClose;
    const answer = (reply: Reply): void => this.waiting.shift()?.(reply);
    const parser = new Parser({
      returnReply: (reply) => answer(withErrorReplies(reply)),
      returnError: (error) => answer(new ErrorReply(error.message)),
      returnFatalError: () => socket.destroy(),
    });
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.on('data', (chunk: Buffer) => parser.execute(chunk));
    socket.on('close', () => this.close());
    socket.on('error', () => socket.destroy());
  }

  /** Rejects when nobody listens there, or nobody answers in time. */
  static open(host: string, port: number, onClose: () => void = () => undefined): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, timeout: CONNECT_MS });
      const fail = (error: Error): void => {
        socket.destroy();
        reject(error);
      };
      const tooLate = (): void => fail(new Error(`no connection to ${host}:${port} in ${CONNECT_MS} ms`));
      socket.once('error', fail);
      socket.once('timeout', tooLate);
      socket.once('connect', () => {
        socket.off('error', fail);
        socket.off('timeout', tooLate);
        resolve(new Connection(socket, onClose));
      });
    });
  }

  get closed(): boolean {
    return this.ended;
  }

  send(words: readonly (string | Buffer)[], onReply: OnReply): void {
    if (this.ended) return onReply(undefined);
    this.waiting.push(onReply);
    this.socket.write(encodeCommand(words));
  }

  ask(...words: string[]): Promise<Reply | undefined> {
    return new Promise((resolve) => this.send(words, resolve));
  }

  /** Several commands in one write; `onReply` is called for each, in order. */
  pipeline(commands: readonly (readonly string[])[], onReply: (index: number, reply: Reply | undefined) => void): void {
    if (this.ended) return commands.forEach((_, index) => onReply(index, undefined));
    this.socket.cork();
    commands.forEach((words, index) => this.send(words, (reply) => onReply(index, reply)));
    this.socket.uncork();
  }

  end(): void {
    this.socket.destroy();
  }

  private close(): void {
    if (this.ended) return;
    this.ended = true;
    for (const onReply of this.waiting.splice(0)) onReply(undefined);
    this.onClose();
  }
}

/** The parser gives errors inside arrays as Error objects. */
function withErrorReplies(reply: unknown): Reply {
  if (Array.isArray(reply)) return reply.map(withErrorReplies);
  return reply instanceof Error ? new ErrorReply(reply.message) : (reply as Reply);
}
