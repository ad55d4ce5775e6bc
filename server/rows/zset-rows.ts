/**
 * Sorted sets, as they are kept. A small one packs its members, in order, in its row's header:
 *
 *   (length varint, member, 8, score f64) ...
 *
 * A large one has two elements for each member, and a tree that counts them (rank-tree.ts):
 *
 *   1, hash u32 of the member, member -> score f64     in an order that a ZSCAN cursor can name
 *   2, position -> empty, or 1 for a score of -0       in the order of scores
 *   3 and 4: the tree's nodes
 *
 *   header value: the tree's root u32 | its last node u32 | (length varint, where a bucket begins that is to be cut) ...
 *
 * A position orders members as Redis does: the score's 8 bytes, turned so that they compare bytewise as the numbers
 * do, then the member.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import { KeyedHash } from '../../shared/keyed-hash.js';
import type { ElementRange, Row, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import { findPacked, pack, packParts, unpack, unpackParts } from './packed.js';
import { RankTree, type TreeRoot } from './rank-tree.js';
import { WRONG_TYPE } from './strings.js';
import { checkRead } from './whole-reads.js';

const BY_MEMBER = 1;
const BY_SCORE = 2;
export const SCORE_BYTES = 8;
const HASH_BYTES = 4;
const ROOT_BYTES = 8;
const HASHES = 2 ** 32;
const SIGN = 0x80;
/** Ranks up to this are reached by reading from the end rather than through the tree. */
const NEAR = 256;
const EMPTY = Buffer.alloc(0);
const NEGATIVE_ZERO = Buffer.of(1);
/** The same for all: whoever fills a set with members of one hash gets them in one step of a ZSCAN. */
const hash = new KeyedHash('5ab1e7c0ffee0dd5');

export interface Scored {
  readonly member: Buffer;
  readonly score: number;
}

/** Positions from `gte` up to, not including, `lt`; null: open. */
export interface Span {
  readonly gte: Buffer | null;
  readonly lt: Buffer | null;
}

/** The row, if it is a sorted set or absent. */
export function zsetRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.zset) throw new ClientError(WRONG_TYPE);
  return row;
}

export function scoreIn(view: View, key: Buffer, row: Row, member: Buffer): number | null {
  const stored = row.large ? view.element(key, row, memberKey(member)) : findPacked(row.value, member);
  return stored === null ? null : stored.readDoubleBE(0);
}

/** Members within the span in order, or in reverse, `skip` of them left out, at most `limit`. */
export function membersIn(
  view: View,
  key: Buffer,
  row: Row,
  span: Span,
  reverse: boolean,
  skip: number,
  limit: number,
): Scored[] {
  if (limit <= 0) return [];
  if (!row.large) {
    const within = unpackScored(row.value).filter((each) => isWithin(position(each.score, each.member), span));
    return (reverse ? within.reverse() : within).slice(skip, skip + limit);
  }
  if (skip <= NEAR) return read(view, key, row, span, reverse, skip + limit).slice(skip);
  const first = span.gte === null ? 0 : rankOf(view, key, row, span.gte);
  const end = span.lt === null ? row.size : rankOf(view, key, row, span.lt);
  const count = Math.min(limit, end - first - skip);
  checkRead(count);
  if (count <= 0) return [];
  const from = reverse ? end - skip - count : first + skip;
  const found = slice(view, key, row, from, from + count);
  return reverse ? found.reverse() : found;
}

/** Members of the ranks from `from` up to, not including, `to`; both are within the set and count from the first. */
export function ranked(view: View, key: Buffer, row: Row, from: number, to: number, reverse: boolean): Scored[] {
  if (!row.large) {
    const found = unpackScored(row.value).slice(from, to);
    return reverse ? found.reverse() : found;
  }
  checkRead(to - from);
  if (from > NEAR && row.size - to <= NEAR) {
    const found = read(view, key, row, WHOLE, true, row.size - from).slice(row.size - to);
    return reverse ? found : found.reverse();
  }
  const found = slice(view, key, row, from, to);
  return reverse ? found.reverse() : found;
}

/** How many members come before the position. */
export function rankOf(view: View, key: Buffer, row: Row, at: Buffer): number {
  if (!row.large) {
    return unpackScored(row.value).filter(({ score, member }) => position(score, member).compare(at) < 0).length;
  }
  const bucket = treeOf(view, key, row).before(at);
  const range = { gte: scoreKey(bucket.from), lt: scoreKey(at), reverse: false, limit: row.size };
  return bucket.count + view.elements(key, row, range).length;
}

export const WHOLE: Span = { gte: null, lt: null };

/** From the bucket on that holds the first. */
function slice(view: View, key: Buffer, row: Row, from: number, to: number): Scored[] {
  if (from <= NEAR) return read(view, key, row, WHOLE, false, to).slice(from);
  const bucket = treeOf(view, key, row).at(from);
  const skipped = from - bucket.count;
  return read(view, key, row, { gte: bucket.from, lt: null }, false, skipped + to - from).slice(skipped);
}

function read(view: View, key: Buffer, row: Row, span: Span, reverse: boolean, limit: number): Scored[] {
  const range: ElementRange = {
    gte: scoreKey(span.gte ?? EMPTY),
    lt: span.lt === null ? Buffer.of(BY_SCORE + 1) : scoreKey(span.lt),
    reverse,
    limit,
  };
  return view.elements(key, row, range).map(({ sortKey, value }) => ({
    member: sortKey.subarray(1 + SCORE_BYTES),
    score: value.length > 0 ? -0 : scoreOfPosition(sortKey, 1),
  }));
}

/** Positions of a large set's members, as the tree asks for them. */
export function positionsIn(view: View, key: Buffer, row: Row, span: Span, limit: number): Buffer[] {
  const lt = span.lt === null ? Buffer.of(BY_SCORE + 1) : scoreKey(span.lt);
  const range = { gte: scoreKey(span.gte ?? EMPTY), lt, reverse: false, limit };
  return view.elements(key, row, range).map(({ sortKey }) => sortKey.subarray(1));
}

/**
 * One step through a large set in the order of hashes, from `cursor` on: about `count` members and where to go on,
 * 0 at the end. Those of one hash come together.
 */
export function step(view: View, key: Buffer, row: Row, cursor: number, count: number): [next: number, Scored[]] {
  const lt = Buffer.of(BY_MEMBER + 1);
  if (cursor >= HASHES) return [0, []];
  for (let limit = count + 1; ; limit *= 2) {
    const found = view.elements(key, row, { gte: hashKey(cursor), lt, reverse: false, limit });
    const last = found.at(-1);
    const scored = found.map(({ sortKey, value }) => ({
      member: sortKey.subarray(1 + HASH_BYTES),
      score: value.readDoubleBE(0),
    }));
    if (last === undefined || found.length < limit) return [0, scored];
    const next = last.sortKey.readUInt32BE(1);
    const end = found.findIndex(({ sortKey }) => sortKey.readUInt32BE(1) === next);
    if (end > 0) return [next, scored.slice(0, end)];
  }
}

export function packScored(members: readonly Scored[]): Buffer {
  return pack(members.map(({ member, score }) => ({ sortKey: member, value: scoreBytes(score) })));
}

export function unpackScored(packed: Buffer): Scored[] {
  return unpack(packed).map(({ sortKey, value }) => ({ member: sortKey, score: value.readDoubleBE(0) }));
}

/** What the header of a large set says beside its size. */
export interface ZsetHeader extends TreeRoot {
  /** Where buckets begin that are to be cut. */
  readonly overfull: readonly Buffer[];
}

export function zsetHeader(row: Row): ZsetHeader {
  const root = row.value.readUInt32BE(0);
  const lastId = row.value.readUInt32BE(ROOT_BYTES / 2);
  return { root, lastId, overfull: unpackParts(row.value.subarray(ROOT_BYTES)) };
}

export function zsetHeaderValue({ root, lastId, overfull }: ZsetHeader): Buffer {
  const fixed = Buffer.allocUnsafe(ROOT_BYTES);
  fixed.writeUInt32BE(root, 0);
  fixed.writeUInt32BE(lastId, ROOT_BYTES / 2);
  return overfull.length === 0 ? fixed : Buffer.concat([fixed, packParts(overfull)]);
}

export function treeOf(view: View, key: Buffer, row: Row): RankTree {
  return new RankTree(view, key, row, zsetHeader(row));
}

/** The score's bytes, comparing as the numbers do, then the member. */
export function position(score: number, member: Buffer): Buffer {
  const at = Buffer.allocUnsafe(SCORE_BYTES + member.length);
  // -0 is where 0 is
  at.writeDoubleBE(score + 0, 0);
  if (at[0]! >= SIGN) for (let i = 0; i < SCORE_BYTES; i++) at[i] = ~at[i]!;
  else at[0]! |= SIGN;
  at.set(member, SCORE_BYTES);
  return at;
}

/** The first position behind all members of that score. */
export function behindScore(score: number): Buffer {
  const at = position(score, EMPTY);
  for (let i = SCORE_BYTES - 1; i >= 0; i--) {
    at[i] = (at[i]! + 1) & 0xff;
    if (at[i] !== 0) return at;
  }
  invariant(false, 'no score has the greatest of all positions');
}

/** For one score at a time: thousands are read in a range. */
const scratch = Buffer.alloc(SCORE_BYTES);

function scoreOfPosition(bytes: Buffer, at: number): number {
  const turn = bytes[at]! < SIGN ? 0xff : 0;
  for (let i = 0; i < SCORE_BYTES; i++) scratch[i] = bytes[at + i]! ^ turn;
  if (turn === 0) scratch[0]! &= SIGN - 1;
  return scratch.readDoubleBE(0);
}

function isWithin(at: Buffer, { gte, lt }: Span): boolean {
  return (gte === null || at.compare(gte) >= 0) && (lt === null || at.compare(lt) < 0);
}

export function scoreBytes(score: number): Buffer {
  const bytes = Buffer.allocUnsafe(SCORE_BYTES);
  bytes.writeDoubleBE(score, 0);
  return bytes;
}

/** What stands under a position. */
export function scoreMark(score: number): Buffer {
  return Object.is(score, -0) ? NEGATIVE_ZERO : EMPTY;
}

export function scoreKey(at: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + at.length);
  sortKey[0] = BY_SCORE;
  sortKey.set(at, 1);
  return sortKey;
}

export function memberKey(member: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + HASH_BYTES + member.length);
  sortKey[0] = BY_MEMBER;
  sortKey.writeUInt32BE(hash.of(member), 1);
  sortKey.set(member, 1 + HASH_BYTES);
  return sortKey;
}

function hashKey(from: number): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + HASH_BYTES);
  sortKey[0] = BY_MEMBER;
  sortKey.writeUInt32BE(from, 1);
  return sortKey;
}
