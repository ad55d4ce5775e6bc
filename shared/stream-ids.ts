/**
 * Ids of stream entries: two unsigned 64-bit numbers, milliseconds and a sequence number. Here they are 16 bytes, big
 * endian, so that bytewise order is their order and one comparison tells it; clients see `ms-seq` in decimal.
 */

export const ID_BYTES = 16;
export const U64_MAX = 2n ** 64n - 1n;

/** `parseId` reads no longer texts. */
const TEXT_BYTES_MAX = 127;
const DASH = 0x2d;
const STAR = 0x2a;

export function streamId(ms: bigint, sequence: bigint): Buffer {
  const id = Buffer.allocUnsafe(ID_BYTES);
  id.writeBigUInt64BE(ms, 0);
  id.writeBigUInt64BE(sequence, 8);
  return id;
}

export const ID_MIN: Buffer = Buffer.alloc(ID_BYTES);
export const ID_MAX: Buffer = Buffer.alloc(ID_BYTES, 0xff);

export function millisecondsOf(id: Buffer): bigint {
  return id.readBigUInt64BE(0);
}

export function sequenceOf(id: Buffer): bigint {
  return id.readBigUInt64BE(8);
}

/** As clients see it. */
export function idText(id: Buffer): string {
  return `${decimal(id, 0)}-${decimal(id, 8)}`;
}

/** Without a bigint where a number is exact. */
function decimal(id: Buffer, at: number): string {
  const high = id.readUInt32BE(at);
  return high < 0x20_0000 ? String(high * 0x1_0000_0000 + id.readUInt32BE(at + 4)) : id.readBigUInt64BE(at).toString();
}

/** The id behind it; null behind the last. */
export function nextId(id: Buffer): Buffer | null {
  const next = Buffer.from(id);
  for (let i = ID_BYTES - 1; i >= 0; i--) {
    next[i] = (next[i]! + 1) & 0xff;
    if (next[i] !== 0) return next;
  }
  return null;
}

/** The id before it; null before the first. */
export function previousId(id: Buffer): Buffer | null {
  const previous = Buffer.from(id);
  for (let i = ID_BYTES - 1; i >= 0; i--) {
    previous[i] = (previous[i]! - 1) & 0xff;
    if (previous[i] !== 0xff) return previous;
  }
  return null;
}

export interface ParsedId {
  readonly id: Buffer;
  /** False for `ms-*`: the sequence is to be found. */
  readonly sequenceGiven: boolean;
}

/**
 * The id that `text` spells as `ms-seq` or, with `missingSequence` for the rest, as `ms`; null when it spells none.
 * `ms-*` is one only with `starAllowed`.
 */
export function parseId(text: Buffer, missingSequence: bigint, starAllowed = false): ParsedId | null {
  if (text.length > TEXT_BYTES_MAX) return null;
  const nul = text.indexOf(0);
  const spelled = nul < 0 ? text : text.subarray(0, nul);
  const dash = spelled.indexOf(DASH);
  const ms = parseU64(dash < 0 ? spelled : spelled.subarray(0, dash));
  if (ms === null) return null;
  if (dash < 0) return { id: streamId(ms, missingSequence), sequenceGiven: true };
  const rest = spelled.subarray(dash + 1);
  if (starAllowed && rest.length === 1 && rest[0] === STAR) return { id: streamId(ms, 0n), sequenceGiven: false };
  const sequence = parseU64(rest);
  return sequence === null ? null : { id: streamId(ms, sequence), sequenceGiven: true };
}

/** As strtoull reads it, but for numbers below zero written as Redis writes them. */
function parseU64(text: Buffer): bigint | null {
  const match = /^(\s*)([+-]?)(\d+)$/.exec(text.latin1Slice(0, text.length));
  if (match === null) return null;
  const [, space, sign, digits] = match;
  const value = BigInt(digits ?? 0);
  if (value > U64_MAX) return null;
  if (sign !== '-') return value;
  return space === '' && !digits?.startsWith('0') ? null : BigInt.asUintN(64, -value);
}
