/** RESP2 replies out of latin1 text, as the simulated clients read them. */
import type { Reply } from '../checking/history.js';

export class ReplyReader {
  private text = '';
  private at = 0;

  push(piece: string): void {
    this.text = this.at === this.text.length ? piece : this.text.slice(this.at) + piece;
    this.at = 0;
  }

  /** The next complete reply; undefined when there is none yet. */
  next(): Reply | undefined {
    const start = this.at;
    const reply = this.read();
    if (reply === undefined) this.at = start;
    return reply;
  }

  private read(): Reply | undefined {
    const end = this.text.indexOf('\r\n', this.at);
    if (end < 0) return undefined;
    const kind = this.text[this.at];
    const line = this.text.slice(this.at + 1, end);
    this.at = end + 2;
    if (kind === '+') return line;
    if (kind === '-') return { error: line };
    if (kind === ':') return Number(line);
    const length = Number(line);
    if (length < 0) return null;
    if (kind === '$') return this.bulk(length);
    if (kind === '*') return this.items(length);
    throw new Error(`this is no reply: ${kind ?? ''}${line}`);
  }

  private bulk(length: number): string | undefined {
    if (this.text.length < this.at + length + 2) return undefined;
    const text = this.text.slice(this.at, this.at + length);
    this.at += length + 2;
    return text;
  }

  private items(count: number): Reply[] | undefined {
    const items: Reply[] = [];
    while (items.length < count) {
      const item = this.read();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}

/** A request as an array of bulk strings. */
export function encodeRequest(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}
