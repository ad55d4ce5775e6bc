/**
 * The mutation: one envelope for log, prepare, learning and, later, duplication (design: section 7).
 * It is encoded once; ballot and decree travel beside it, so that a new primary can prepare the same
 * bytes again under its own ballot.
 *
 *   format u8 | minimum reader u8 | kind u8 | 0 u8 | origin cluster u32 | table u32 | partition u32
 *   partition time u48 | groups u32 | group ... | results: u32 length, msgpack | annotations: u32 length, msgpack
 *   | changes of sessions: u32 length, msgpack
 *
 *   group (one row, or partition-wide with slot 0xffff):
 *   slot u16 | keyspace 8 bytes | keys delta i32 | expires delta i32 | bytes delta f64 | writes u32 | write ...
 *   write: key length u32 | value length u32 (0xffffffff: delete) | key | value
 *
 * Groups carry their slot so that a split can filter without decoding rows. Kinds are on disk: never reused.
 */
import { Packr } from 'msgpackr';
import { OperatingError } from '../../shared/errors.js';

export const MUTATION_FORMAT = 3;
export const MUTATION_MIN_READER = 3;

export const MutationKind = {
  data: 1,
  ballotStart: 2,
  session: 3,
  split: 4,
  keyspace: 5,
  transactionPrepare: 6,
  transactionCommit: 7,
  transactionAbort: 8,
  ingest: 9,
} as const;
export type MutationKind = (typeof MutationKind)[keyof typeof MutationKind];

/** Kinds that this version can apply; another one stops the replica. */
const APPLICABLE: ReadonlySet<number> = new Set([MutationKind.data, MutationKind.ballotStart, MutationKind.session]);

/** The slot of a group that concerns the whole partition. */
export const PARTITION_WIDE = 0xffff;

/** A put, or a delete where `value` is null; `key` as latin1. */
export interface GroupWrite {
  readonly key: string;
  readonly value: Buffer | null;
}

/** The writes of one row. Deltas are to the counts of (keyspace, slot). */
export interface Group {
  readonly slot: number;
  /** 8 latin1 characters; ignored when partition-wide. */
  readonly keyspace: string;
  readonly keysDelta: number;
  readonly expiresDelta: number;
  /** Of logical bytes. */
  readonly bytesDelta: number;
  readonly writes: readonly GroupWrite[];
}

/** What a repeated request is answered with: [session, connection, sequence, acknowledged, status, result]. */
export type KeptResult = readonly [
  session: number,
  connection: number,
  sequence: number,
  acknowledged: number,
  status: number,
  result: unknown,
];

/**
 * What happens to sessions, after the results of the same mutation:
 * - open: the boot has a session from here on; its name is the mutation's decree;
 * - settle: see SettleMessage; `answered` is connection, sequence, connection, sequence ...;
 * - end: it is forgotten.
 */
export type SessionChange =
  | readonly [what: 'open', boot: string]
  | readonly [what: 'settle', session: number, fence: number, answered: readonly number[]]
  | readonly [what: 'end', session: number];

/** Things that are not state: [name, argument]. They happen at most once, when the mutation is applied or committed. */
export type Annotation = readonly [name: string, ...args: unknown[]];

export interface Mutation {
  readonly kind: MutationKind;
  readonly origin: number;
  readonly table: number;
  readonly partition: number;
  /** Partition time, ms since 1970. */
  readonly timeMs: number;
  readonly groups: readonly Group[];
  readonly results: readonly KeptResult[];
  readonly annotations: readonly Annotation[];
  readonly sessions: readonly SessionChange[];
}

const HEADER_BYTES = 4 + 12 + 6 + 4;
const GROUP_BYTES = 2 + 8 + 4 + 4 + 8 + 4;
const WRITE_BYTES = 8;
const DELETED = 0xffffffff;
const EMPTY = Buffer.alloc(0);
const packr = new Packr({ useRecords: false });

export function encodeMutation(mutation: Mutation): Buffer {
  const results = mutation.results.length === 0 ? EMPTY : packr.pack(mutation.results);
  // packed buffers share a pool: the second pack must not overwrite the first
  const alone = mutation.annotations.length === 0 && mutation.sessions.length === 0;
  const keptResults = alone ? results : Buffer.from(results);
  const annotations = mutation.annotations.length === 0 ? EMPTY : Buffer.from(packr.pack(mutation.annotations));
  const sessions = mutation.sessions.length === 0 ? EMPTY : packr.pack(mutation.sessions);
  let bytes = HEADER_BYTES + 12 + keptResults.length + annotations.length + sessions.length;
  for (const group of mutation.groups) {
    bytes += GROUP_BYTES;
    for (const write of group.writes) {
      bytes += WRITE_BYTES + write.key.length + (write.value === null ? 0 : write.value.length);
    }
  }
  const out = Buffer.allocUnsafe(bytes);
  out[0] = MUTATION_FORMAT;
  out[1] = MUTATION_MIN_READER;
  out[2] = mutation.kind;
  out[3] = 0;
  out.writeUInt32BE(mutation.origin, 4);
  out.writeUInt32BE(mutation.table, 8);
  out.writeUInt32BE(mutation.partition, 12);
  out.writeUIntBE(mutation.timeMs, 16, 6);
  out.writeUInt32BE(mutation.groups.length, 22);
  let at = HEADER_BYTES;
  for (const group of mutation.groups) {
    out.writeUInt16BE(group.slot, at);
    out.latin1Write(group.keyspace, at + 2, 8);
    out.writeInt32BE(group.keysDelta, at + 10);
    out.writeInt32BE(group.expiresDelta, at + 14);
    out.writeDoubleBE(group.bytesDelta, at + 18);
    out.writeUInt32BE(group.writes.length, at + 26);
    at += GROUP_BYTES;
    for (const { key, value } of group.writes) {
      out.writeUInt32BE(key.length, at);
      out.writeUInt32BE(value === null ? DELETED : value.length, at + 4);
      at += WRITE_BYTES;
      out.latin1Write(key, at, key.length);
      at += key.length;
      if (value !== null) {
        out.set(value, at);
        at += value.length;
      }
    }
  }
  at = section(out, at, keptResults);
  at = section(out, at, annotations);
  section(out, at, sessions);
  return out;
}

function section(out: Buffer, at: number, bytes: Buffer): number {
  out.writeUInt32BE(bytes.length, at);
  out.set(bytes, at + 4);
  return at + 4 + bytes.length;
}

/** The kind without decoding the rest. */
export function mutationKind(body: Buffer): number {
  return body[2] ?? 0;
}

/** The partition time without decoding the rest. */
export function mutationTimeMs(body: Buffer): number {
  return body.readUIntBE(16, 6);
}

/**
 * Values alias `body`. Throws E_CORRUPT for what nobody can have written, E_CONFIG for what only a newer version can
 * have: that one is sound, but this replica must stop.
 */
export function decodeMutation(body: Buffer): Mutation {
  if (body.length < HEADER_BYTES) throw damaged(`it has only ${body.length} bytes`);
  if (body[1]! > MUTATION_FORMAT) throw tooNew(`it needs a reader of format ${body[1]}`);
  const kind = body[2]!;
  if (!APPLICABLE.has(kind)) throw tooNew(`it is of the unknown kind ${kind}`);
  if (body[0]! < MUTATION_FORMAT) throw tooOld(body[0]!);
  try {
    return decodeSections(body, kind as MutationKind);
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    throw damaged(error instanceof Error ? error.message : String(error));
  }
}

function decodeSections(body: Buffer, kind: MutationKind): Mutation {
  const groups: Group[] = new Array(countOf(body, 22, GROUP_BYTES));
  let at = HEADER_BYTES;
  for (let g = 0; g < groups.length; g++) {
    const writes: GroupWrite[] = new Array(countOf(body, at + 26, WRITE_BYTES));
    const group: Group = {
      slot: body.readUInt16BE(at),
      keyspace: body.latin1Slice(at + 2, at + 10),
      keysDelta: body.readInt32BE(at + 10),
      expiresDelta: body.readInt32BE(at + 14),
      bytesDelta: body.readDoubleBE(at + 18),
      writes,
    };
    at += GROUP_BYTES;
    for (let w = 0; w < writes.length; w++) {
      const keyEnd = at + WRITE_BYTES + body.readUInt32BE(at);
      const valueBytes = body.readUInt32BE(at + 4);
      const end = valueBytes === DELETED ? keyEnd : keyEnd + valueBytes;
      if (end > body.length) throw damaged(`a write goes beyond its end`);
      const key = body.latin1Slice(at + WRITE_BYTES, keyEnd);
      writes[w] = { key, value: valueBytes === DELETED ? null : body.subarray(keyEnd, end) };
      at = end;
    }
    groups[g] = group;
  }
  const resultsEnd = at + 4 + body.readUInt32BE(at);
  const annotationsEnd = resultsEnd + 4 + body.readUInt32BE(resultsEnd);
  const sessionsEnd = annotationsEnd + 4 + body.readUInt32BE(annotationsEnd);
  if (sessionsEnd !== body.length) throw damaged(`it should have ${sessionsEnd} bytes and has ${body.length}`);
  return {
    kind,
    origin: body.readUInt32BE(4),
    table: body.readUInt32BE(8),
    partition: body.readUInt32BE(12),
    timeMs: mutationTimeMs(body),
    groups,
    results: unpack(body.subarray(at + 4, resultsEnd)) as KeptResult[],
    annotations: unpack(body.subarray(resultsEnd + 4, annotationsEnd)) as Annotation[],
    sessions: unpack(body.subarray(annotationsEnd + 4, sessionsEnd)) as SessionChange[],
  };
}

/** A number of things of at least `bytes` each; there is no room for more than the body has. */
function countOf(body: Buffer, at: number, bytes: number): number {
  const count = body.readUInt32BE(at);
  if (count * bytes > body.length) throw damaged(`it cannot hold ${count} groups or writes`);
  return count;
}

function unpack(section: Buffer): unknown {
  return section.length === 0 ? [] : packr.unpack(section);
}

function damaged(why: string): OperatingError {
  return new OperatingError('E_CORRUPT', `a mutation is damaged: ${why}`);
}

function tooOld(format: number): OperatingError {
  return new OperatingError('E_CONFIG', `a mutation is of format ${format}, which this version reads no more`);
}

function tooNew(why: string): OperatingError {
  return new OperatingError(
    'E_CONFIG',
    `a newer version wrote a mutation: ${why}, this version knows format ${MUTATION_FORMAT}; run that version or a newer one`,
  );
}
