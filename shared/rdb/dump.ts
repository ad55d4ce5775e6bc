/**
 * What DUMP gives and RESTORE takes: a value as in an RDB file of version 10 (Redis 7.0), then the version (u16 LE)
 * and a CRC-64 of all before it. Values are written as Redis keeps them, packed where it packs them; read are those
 * and the plain ones of all versions before, and those of version 12 (Redis 7.4). A hash with fields that expire is
 * written as of that version, which Redis 7.0 refuses: it would keep the fields for ever.
 */
import { ClientError } from '../errors.js';
import { formatDouble, parseDouble } from '../doubles.js';
import { limits } from '../limits.js';
import { crc64 } from './crc64.js';
import { packIntset, unpackIntset } from './intset.js';
import { entryBytesMax, packListpack, unpackListpack } from './listpack.js';
import { type DumpedStream, readStream, writeStream } from './streams.js';
import { DamagedDump, DumpReader, DumpWriter } from './strings.js';
import { unpackZiplist } from './ziplist.js';

const VERSION = 10;
/** The first with fields that expire, and the last that is read. */
const EXPIRING_VERSION = 12;
const VERSION_BYTES = 2;
const CHECKSUM_BYTES = 8;
const FOOTER_BYTES = VERSION_BYTES + CHECKSUM_BYTES;

const RdbType = {
  string: 0,
  list: 1,
  set: 2,
  zsetText: 3,
  hash: 4,
  zset: 5,
  listZiplist: 10,
  intset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  quicklistZiplists: 14,
  hashListpack: 16,
  zsetListpack: 17,
  quicklist: 18,
  streamUncounted: 15,
  stream: 19,
  setListpack: 20,
  streamActive: 21,
  hashExpiring: 24,
  hashListpackExpiring: 25,
} as const;

/** A node of a list is a listpack, or one long value as it is. */
const PLAIN_NODE = 1;
const PACKED_NODE = 2;
/** What Redis puts in a node by default. */
const NODE_BYTES = 8_192;
/** Scores as text: these lengths mean something else. */
const NEGATIVE_INFINITY = 255;
const INFINITY = 254;
const NOT_A_NUMBER = 253;

const WRONG = 'ERR DUMP payload version or checksum are wrong';
const BAD = 'ERR Bad data format';

export interface ScoredMember {
  readonly member: Buffer;
  readonly score: number;
}

export interface DumpedHash {
  readonly type: 'hash';
  /** Field, value, field, value ... */
  readonly fields: readonly Buffer[];
  readonly compact: boolean;
  /** Of each field, when it expires in ms since 1970, 0: never; absent: none does. */
  readonly expiries?: readonly number[];
}

/** `compact`: kept as a listpack (a set: an intset) where it came from. Members and fields are there once. */
export type DumpedValue =
  | { readonly type: 'string'; readonly value: Buffer }
  | { readonly type: 'list'; readonly values: readonly Buffer[] }
  | { readonly type: 'set'; readonly members: readonly Buffer[]; readonly compact: boolean }
  | DumpedHash
  | { readonly type: 'zset'; readonly members: readonly ScoredMember[]; readonly compact: boolean }
  | { readonly type: 'stream'; readonly stream: DumpedStream };

export function dump(value: DumpedValue): Buffer {
  const writer = new DumpWriter();
  write(writer, value);
  const expires = value.type === 'hash' && value.expiries !== undefined;
  return withFooter(writer, expires ? EXPIRING_VERSION : VERSION);
}

/** What is written, with version and checksum behind it. */
export function withFooter(writer: DumpWriter, version: number = VERSION): Buffer {
  writer.raw(Buffer.of(version, 0));
  const body = writer.bytes;
  return Buffer.concat([body, crc64(body)]);
}

function write(writer: DumpWriter, value: DumpedValue): void {
  switch (value.type) {
    case 'string':
      writer.raw(Buffer.of(RdbType.string));
      writer.string(value.value);
      break;
    case 'list':
      writeList(writer, value.values);
      break;
    case 'set':
      writer.raw(Buffer.of(value.compact ? RdbType.intset : RdbType.set));
      if (value.compact) writer.string(packIntset(value.members));
      else writeStrings(writer, value.members.length, value.members);
      break;
    case 'hash':
      if (value.expiries !== undefined) return writeExpiring(writer, value.fields, value.expiries);
      writer.raw(Buffer.of(value.compact ? RdbType.hashListpack : RdbType.hash));
      if (value.compact) writer.string(packListpack(value.fields));
      else writeStrings(writer, value.fields.length / 2, value.fields);
      break;
    case 'zset':
      writer.raw(Buffer.of(value.compact ? RdbType.zsetListpack : RdbType.zset));
      writeSortedSet(writer, value.members, value.compact);
      break;
    case 'stream':
      writer.raw(Buffer.of(RdbType.stream));
      writeStream(writer, value.stream);
      break;
  }
}

function writeStrings(writer: DumpWriter, count: number, strings: readonly Buffer[]): void {
  writer.length(count);
  for (const each of strings) writer.string(each);
}

/** The soonest expiry, then of each field how much later its own is, by one more; 0: never. */
function writeExpiring(writer: DumpWriter, fields: readonly Buffer[], expiries: readonly number[]): void {
  const soonest = Math.min(...expiries.filter((expiry) => expiry > 0));
  writer.raw(Buffer.of(RdbType.hashExpiring));
  const time = Buffer.allocUnsafe(8);
  time.writeBigUInt64LE(BigInt(soonest));
  writer.raw(time);
  writer.length(expiries.length);
  expiries.forEach((expiry, i) => {
    writer.length(expiry === 0 ? 0 : BigInt(expiry - soonest + 1));
    writer.string(fields[2 * i]!);
    writer.string(fields[2 * i + 1]!);
  });
}

function writeList(writer: DumpWriter, values: readonly Buffer[]): void {
  const nodes: Buffer[][] = [];
  let bytes = NODE_BYTES;
  for (const value of values) {
    bytes += entryBytesMax(value);
    if (bytes > NODE_BYTES) {
      nodes.push([]);
      bytes = entryBytesMax(value);
    }
    nodes.at(-1)?.push(value);
  }
  writer.raw(Buffer.of(RdbType.quicklist));
  writer.length(nodes.length);
  for (const node of nodes) {
    writer.length(PACKED_NODE);
    writer.string(packListpack(node));
  }
}

/** Given in ascending order of scores; not packed, the highest comes first, as in Redis. */
function writeSortedSet(writer: DumpWriter, members: readonly ScoredMember[], compact: boolean): void {
  if (compact) {
    const parts = members.flatMap(({ member, score }) => [member, Buffer.from(formatDouble(score), 'latin1')]);
    writer.string(packListpack(parts));
    return;
  }
  writer.length(members.length);
  for (const { member, score } of members.toReversed()) {
    writer.string(member);
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleLE(score, 0);
    writer.raw(bytes);
  }
}

/** Throws Redis's errors. What is returned may alias the payload. */
export function readDump(payload: Buffer): DumpedValue {
  const body = withoutFooter(payload);
  try {
    return read(new DumpReader(body));
  } catch (error) {
    if (error instanceof DamagedDump) throw new ClientError(BAD);
    throw error;
  }
}

/** What is before version and checksum. Throws Redis's errors where they are not right. */
export function withoutFooter(payload: Buffer): Buffer {
  const footer = payload.length - FOOTER_BYTES;
  if (footer < 0 || payload.readUInt16LE(footer) > EXPIRING_VERSION) throw new ClientError(WRONG);
  if (payload.length > limits.dumpBytes) throw new ClientError(BAD);
  const checked = payload.subarray(0, footer + VERSION_BYTES);
  if (!crc64(checked).equals(payload.subarray(checked.length))) throw new ClientError(WRONG);
  return payload.subarray(0, footer);
}

function read(reader: DumpReader): DumpedValue {
  const type = reader.byte();
  switch (type) {
    case RdbType.string:
      return { type: 'string', value: reader.string() };
    case RdbType.list:
      return list(strings(reader, reader.count()));
    case RdbType.listZiplist:
      return list(whole(unpackZiplist(reader.string())));
    case RdbType.quicklistZiplists:
    case RdbType.quicklist:
      return list(nodes(reader, type === RdbType.quicklist));
    case RdbType.set:
      return { type: 'set', members: different(strings(reader, reader.count())), compact: false };
    case RdbType.intset:
      return { type: 'set', members: whole(unpackIntset(reader.string())), compact: true };
    case RdbType.hash:
      return hash(strings(reader, 2 * reader.count()), false);
    case RdbType.hashListpack:
      return hash(whole(unpackListpack(reader.string())), true);
    case RdbType.hashZiplist:
      return hash(whole(unpackZiplist(reader.string())), true);
    case RdbType.zset:
    case RdbType.zsetText:
      return zset(plainMembers(reader, type === RdbType.zset), false);
    case RdbType.zsetListpack:
      return zset(pairedMembers(whole(unpackListpack(reader.string()))), true);
    case RdbType.zsetZiplist:
      return zset(pairedMembers(whole(unpackZiplist(reader.string()))), true);
    case RdbType.hashExpiring:
      return expiringHash(reader);
    case RdbType.hashListpackExpiring:
      reader.raw(8);
      return packedExpiringHash(whole(unpackListpack(reader.string())));
    case RdbType.setListpack:
      return { type: 'set', members: different(whole(unpackListpack(reader.string()))), compact: false };
    case RdbType.streamUncounted:
    case RdbType.stream:
    case RdbType.streamActive: {
      const times = type === RdbType.streamActive ? 2 : 1;
      return { type: 'stream', stream: readStream(reader, type !== RdbType.streamUncounted, times) };
    }
    default:
      throw new DamagedDump('of an unknown type');
  }
}

function whole<T>(unpacked: T | null): T {
  if (unpacked === null) throw new DamagedDump('packed wrongly');
  return unpacked;
}

function strings(reader: DumpReader, count: number): Buffer[] {
  return Array.from({ length: count }, () => reader.string());
}

function list(values: readonly Buffer[]): DumpedValue {
  if (values.length === 0) throw new DamagedDump('empty');
  return { type: 'list', values };
}

function nodes(reader: DumpReader, tagged: boolean): Buffer[] {
  const values: Buffer[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const container = tagged ? reader.length() : PACKED_NODE;
    const node = reader.string();
    if (container !== PACKED_NODE && (container !== PLAIN_NODE || node.length === 0)) {
      throw new DamagedDump('a node of another kind');
    }
    const packed = container === PACKED_NODE;
    for (const value of packed ? whole(tagged ? unpackListpack(node) : unpackZiplist(node)) : [node])
      values.push(value);
    if (values.length > limits.dumpParts) throw new DamagedDump('has too many parts');
  }
  return values;
}

function hash(fields: readonly Buffer[], compact: boolean): DumpedHash {
  if (fields.length % 2 !== 0) throw new DamagedDump('a field without a value');
  different(fields.filter((_, i) => i % 2 === 0));
  return { type: 'hash', fields, compact };
}

function expiringHash(reader: DumpReader): DumpedValue {
  const soonest = Number(reader.raw(8).readBigUInt64LE(0));
  const fields: Buffer[] = [];
  const expiries = Array.from({ length: reader.count() }, () => {
    const later = reader.length();
    fields.push(reader.string(), reader.string());
    return later === 0 ? 0 : soonest + later - 1;
  });
  return withExpiries(fields, expiries, false);
}

/** Field, value, expiry, field, value, expiry ... */
function packedExpiringHash(parts: readonly Buffer[]): DumpedValue {
  if (parts.length % 3 !== 0) throw new DamagedDump('a field without an expiry');
  const fields = parts.filter((_, i) => i % 3 !== 2);
  return withExpiries(
    fields,
    parts.filter((_, i) => i % 3 === 2).map((text) => Number(text.latin1Slice(0, text.length))),
    true,
  );
}

function withExpiries(fields: readonly Buffer[], expiries: readonly number[], compact: boolean): DumpedValue {
  if (expiries.some((expiry) => !Number.isSafeInteger(expiry) || expiry < 0 || expiry >= 2 ** 48))
    throw new DamagedDump('a time that is none');
  return { ...hash(fields, compact), expiries };
}

function zset(members: readonly ScoredMember[], compact: boolean): DumpedValue {
  different(members.map(({ member }) => member));
  if (members.some(({ score }) => Number.isNaN(score))) throw new DamagedDump('a score that is no number');
  return { type: 'zset', members, compact };
}

function different(members: readonly Buffer[]): readonly Buffer[] {
  if (members.length === 0) throw new DamagedDump('empty');
  const seen = new Set(members.map((member) => member.latin1Slice(0, member.length)));
  if (seen.size !== members.length) throw new DamagedDump('a member twice');
  return members;
}

function plainMembers(reader: DumpReader, binary: boolean): ScoredMember[] {
  return Array.from({ length: reader.count() }, () => {
    const member = reader.string();
    return { member, score: binary ? reader.raw(8).readDoubleLE(0) : textScore(reader) };
  });
}

function textScore(reader: DumpReader): number {
  const length = reader.byte();
  if (length === NEGATIVE_INFINITY) return -Infinity;
  if (length === INFINITY) return Infinity;
  return length === NOT_A_NUMBER ? NaN : scoreOf(reader.raw(length));
}

function pairedMembers(parts: readonly Buffer[]): ScoredMember[] {
  if (parts.length % 2 !== 0) throw new DamagedDump('a member without a score');
  return parts.flatMap((member, i) => (i % 2 === 0 ? [{ member, score: scoreOf(parts[i + 1]!) }] : []));
}

function scoreOf(text: Buffer): number {
  return parseDouble(text) ?? NaN;
}
