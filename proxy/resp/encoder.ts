/**
 * Replies as RESP2 or RESP3 bytes. What a connection is owed is gathered in an Output during one
 * event-loop turn and leaves in one write: short pieces are joined in one latin1 string (appending to
 * it costs a few nanoseconds, and Node writes such a string without a copy of its own), long ones stay Buffers.
 */
import {
  AttributedReply,
  BigNumberReply,
  DoubleReply,
  ErrorReply,
  MapReply,
  NullArrayReply,
  PushReply,
  ReplySequence,
  SetReply,
  SimpleString,
  VerbatimReply,
  type Reply,
} from '../../shared/commands/reply.js';
import { formatDouble } from '../../shared/doubles.js';

/** Buffers up to this are joined to the string. */
const JOIN_BYTES_MAX = 2_048;

export class Output {
  /** Not yet in `chunks`; every character is one byte. */
  private text = '';
  private chunks: (string | Buffer)[] = [];
  bytes = 0;

  append(text: string): void {
    this.text += text;
    this.bytes += text.length;
  }

  appendBulk(value: Buffer): void {
    const { length } = value;
    if (length <= JOIN_BYTES_MAX) {
      const piece = `$${length}\r\n${value.latin1Slice(0, length)}\r\n`;
      this.text += piece;
      this.bytes += piece.length;
      return;
    }
    const head = `$${length}\r\n`;
    this.chunks.push(this.text + head, value);
    this.text = '\r\n';
    this.bytes += head.length + length + 2;
  }

  /** Hands over another output's content, keeping order. */
  appendOutput(other: Output): void {
    if (other.chunks.length > 0) {
      this.chunks.push(this.text, ...other.chunks);
      this.text = other.text;
    } else {
      this.text += other.text;
    }
    this.bytes += other.bytes;
  }

  /** What has been gathered: one latin1 string where possible, or pieces in order. */
  take(): string | (string | Buffer)[] {
    const { text, chunks } = this;
    this.text = '';
    this.bytes = 0;
    if (chunks.length === 0) return text;
    this.chunks = [];
    if (text.length > 0) chunks.push(text);
    return chunks;
  }
}

/** An error text is one line: Redis replaces what would break it. */
function errorLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}

function bulkText(output: Output, text: string): void {
  output.appendBulk(Buffer.from(text, 'utf8'));
}

export function encodeReply(output: Output, reply: Reply, resp: 2 | 3): void {
  if (Buffer.isBuffer(reply)) return output.appendBulk(reply);
  if (typeof reply === 'number' || typeof reply === 'bigint') return output.append(`:${reply}\r\n`);
  if (reply === null) return output.append(resp === 3 ? '_\r\n' : '$-1\r\n');
  if (reply instanceof SimpleString) return output.append(`+${reply.text}\r\n`);
  if (reply instanceof ErrorReply)
    return output.append(`-${Buffer.from(errorLine(reply.text), 'utf8').latin1Slice()}\r\n`);
  if (typeof reply === 'string') return bulkText(output, reply);
  if (typeof reply === 'boolean')
    return output.append(resp === 3 ? (reply ? '#t\r\n' : '#f\r\n') : reply ? ':1\r\n' : ':0\r\n');
  encodeAggregate(output, reply, resp);
}

function encodeAggregate(
  output: Output,
  reply: Exclude<Reply, null | number | bigint | string | Buffer | boolean>,
  resp: 2 | 3,
): void {
  if (reply instanceof MapReply) {
    output.append(resp === 3 ? `%${reply.entries.length / 2}\r\n` : `*${reply.entries.length}\r\n`);
    for (const item of reply.entries) encodeReply(output, item, resp);
  } else if (reply instanceof SetReply) encodeItems(output, resp === 3 ? '~' : '*', reply.items, resp);
  else if (reply instanceof ReplySequence) for (const each of reply.replies) encodeReply(output, each, resp);
  else if (reply instanceof PushReply) encodeItems(output, resp === 3 ? '>' : '*', reply.items, resp);
  else if (reply instanceof DoubleReply) {
    const text = reply.text ?? formatDouble(reply.value);
    if (resp === 3) output.append(`,${text}\r\n`);
    else bulkText(output, text);
  } else if (reply instanceof BigNumberReply) {
    if (resp === 3) output.append(`(${reply.digits}\r\n`);
    else bulkText(output, reply.digits);
  } else if (reply instanceof AttributedReply) {
    if (resp === 3) {
      output.append(`|${reply.attributes.length / 2}\r\n`);
      for (const item of reply.attributes) encodeReply(output, item, resp);
    }
    encodeReply(output, reply.reply, resp);
  } else if (reply instanceof VerbatimReply) encodeVerbatim(output, reply, resp);
  else if (reply instanceof NullArrayReply) output.append(resp === 3 ? '_\r\n' : '*-1\r\n');
  else encodeItems(output, '*', reply as readonly Reply[], resp);
}

function encodeItems(output: Output, kind: string, items: readonly Reply[], resp: 2 | 3): void {
  output.append(`${kind}${items.length}\r\n`);
  for (const item of items) encodeReply(output, item, resp);
}

function encodeVerbatim(output: Output, reply: VerbatimReply, resp: 2 | 3): void {
  if (resp === 2) return bulkText(output, reply.text);
  const text = Buffer.from(reply.text, 'utf8').latin1Slice();
  output.append(`=${text.length + 4}\r\n${reply.format}:${text}\r\n`);
}
