/**
 * What a command answers, before RESP2 or RESP3. A JavaScript string or a Buffer is a bulk string
 * (strings as UTF-8), a number or bigint an integer, null RESP's nil, an array an array.
 */
export type Reply =
  | null
  | number
  | bigint
  | string
  | Buffer
  | boolean
  | readonly Reply[]
  | SimpleString
  | ErrorReply
  | DoubleReply
  | BigNumberReply
  | MapReply
  | SetReply
  | VerbatimReply
  | NullArrayReply
  | PushReply
  | ReplySequence
  | AttributedReply;

export class SimpleString {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** Text without the leading `-`. */
export class ErrorReply {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** RESP2: a bulk string. With a `text` it is written so. */
export class DoubleReply {
  readonly value: number;
  readonly text: string | null;
  constructor(value: number, text: string | null = null) {
    this.value = value;
    this.text = text;
  }
}
/** An integer beyond 64 bits, in decimal. RESP2: a bulk string. */
export class BigNumberReply {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}
/** RESP2: a flat array. Keys and values alternate. */
export class MapReply {
  readonly entries: readonly Reply[];
  constructor(entries: readonly Reply[]) {
    this.entries = entries;
  }
}
/** RESP2: an array. */
export class SetReply {
  readonly items: readonly Reply[];
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}
/** RESP2: a bulk string. `format` is three characters. */
export class VerbatimReply {
  readonly format: string;
  readonly text: string;
  constructor(format: string, text: string) {
    this.format = format;
    this.text = text;
  }
}
/** RESP2: `*-1`, RESP3: `_`. */
export class NullArrayReply {}
/** RESP3 push; RESP2: an array. */
export class PushReply {
  readonly items: readonly Reply[];
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}
/** Several replies to one request, one after the other. */
export class ReplySequence {
  readonly replies: readonly Reply[];
  constructor(replies: readonly Reply[]) {
    this.replies = replies;
  }
}
/** A reply with RESP3's attributes before it, keys and values alternating. RESP2: the reply alone. */
export class AttributedReply {
  readonly attributes: readonly Reply[];
  readonly reply: Reply;
  constructor(attributes: readonly Reply[], reply: Reply) {
    this.attributes = attributes;
    this.reply = reply;
  }
}

export const OK = new SimpleString('OK');
export const NULL_ARRAY = new NullArrayReply();
