/**
 * Changes to one sorted set, with the same calls whether it is packed in its row's header, large or not there yet.
 * How sorted sets are kept is in zset-rows.ts.
 *
 * The encoding is what Redis would have under the limits that the client's proxy is configured with: `listpack` while
 * there are few short members, then `skiplist` for good.
 */
import { limits } from '../../shared/limits.js';
import type { CompactLimits } from '../../shared/operations/codes.js';
import type { Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { RankTree } from './rank-tree.js';
import {
  memberKey,
  packScored,
  position,
  positionsIn,
  SCORE_BYTES,
  type Scored,
  scoreBytes,
  scoreIn,
  scoreKey,
  scoreMark,
  unpackScored,
  zsetHeader,
  zsetHeaderValue,
  zsetRow,
} from './zset-rows.js';

/** Redis's zset-max-listpack-entries and zset-max-listpack-value. */
const LISTPACK: CompactLimits = [128, 64];
const NO_TREE = { root: 0, lastId: 0 };

export class SortedSet {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  readonly #compact: CompactLimits;
  /** Of a set that is, or will be, written as a whole; by member as latin1. */
  #packed: Map<string, Scored> | null;
  #size: number;
  #bytes: number;
  #encoding: Encoding;
  #changed: boolean;
  /** The row is written anew, in place of whatever is there. */
  #anew: boolean;
  /** Made a listpack, or none, of all members in the end; else a set is a listpack until it has grown too large for one. */
  #packedAtOnce: boolean;
  #tree: RankTree;
  /** Where buckets begin that are to be cut. */
  #overfull: Buffer[] = [];

  private constructor(view: View, key: Buffer, row: Row | null, anew: boolean, compact: CompactLimits | null) {
    this.#view = view;
    this.#key = key;
    this.#row = row;
    this.#anew = anew;
    this.#changed = anew;
    this.#packedAtOnce = anew;
    this.#compact = compact ?? LISTPACK;
    this.#encoding = row?.encoding === Encoding.skiplist ? Encoding.skiplist : Encoding.listpack;
    this.#size = row?.size ?? 0;
    this.#bytes = row?.bytes ?? 0;
    if (row?.large === true) {
      const header = zsetHeader(row);
      this.#packed = null;
      this.#tree = new RankTree(view, key, row, header);
      this.#cutBuckets(row, header.overfull);
    } else {
      this.#packed = byMember(row === null ? [] : unpackScored(row.value));
      this.#tree = new RankTree(view, key, null, NO_TREE);
    }
  }

  static of(view: View, key: Buffer, compact: CompactLimits | null = null): SortedSet {
    return new SortedSet(view, key, zsetRow(view, key), false, compact);
  }

  /** A new set that takes the place of what is at `key`, of whatever type; without members it only removes that. */
  static replacing(view: View, key: Buffer, compact: CompactLimits | null): SortedSet {
    return new SortedSet(view, key, null, true, compact);
  }

  /** As `replacing`, of members put one by one; `count`: how many there will be, as far as Redis knows beforehand. */
  static growing(view: View, key: Buffer, compact: CompactLimits | null, count: number): SortedSet {
    const set = new SortedSet(view, key, null, true, compact);
    set.#packedAtOnce = false;
    if (count > set.#compact[0]) set.#encoding = Encoding.skiplist;
    return set;
  }

  /** First of all: what must be read for it is read before anything else is done. */
  #cutBuckets(row: Row, overfull: readonly Buffer[]): void {
    for (const from of overfull) {
      this.#tree.cut(from, this.#size, (gte, lt, limit) => positionsIn(this.#view, this.#key, row, { gte, lt }, limit));
      this.#changed = true;
    }
  }

  /** 0: there is no set. */
  get size(): number {
    return this.#size;
  }

  /** Members whose scores are asked for next. */
  expect(members: readonly Buffer[]): void {
    if (this.#packed === null) this.#view.expect(this.#key, this.#row!, members.map(memberKey));
  }

  score(member: Buffer): number | null {
    if (this.#packed !== null) return this.#packed.get(text(member))?.score ?? null;
    return scoreIn(this.#view, this.#key, this.#row!, member);
  }

  /** `old`: its score before, as `score` says, null when it is new. */
  put(member: Buffer, given: number, old: number | null): void {
    this.#changed = true;
    if (old === null) {
      this.#size++;
      this.#bytes += member.length + SCORE_BYTES;
      if (this.#size > this.#compact[0] || member.length > this.#compact[1]) this.#encoding = Encoding.skiplist;
    }
    const score = this.#packedAtOnce ? given : this.#kept(given);
    if (this.#packed !== null) this.#packed.set(text(member), { member, score });
    else this.#putLarge(this.#row!, member, score, old);
  }

  /** Redis's listpacks keep integers as such: there -0 becomes 0. */
  #kept(score: number): number {
    return this.#encoding === Encoding.listpack ? score + 0 : score;
  }

  #putLarge(row: Row, member: Buffer, score: number, old: number | null): void {
    const at = position(score, member);
    if (old !== null) this.#view.removeElement(this.#key, row, scoreKey(position(old, member)));
    this.#view.putElement(this.#key, row, memberKey(member), scoreBytes(score));
    this.#view.putElement(this.#key, row, scoreKey(at), scoreMark(score));
    const overfull = old === null ? this.#tree.add(at) : this.#tree.move(position(old, member), at);
    this.#note(overfull);
  }

  /** That a bucket must be cut is found out again whenever something is added to it, so a few are enough. */
  #note(from: Buffer | null): void {
    if (from === null || this.#overfull.length === limits.overfullBuckets) return;
    if (!this.#overfull.some((each) => each.equals(from))) this.#overfull.push(Buffer.from(from));
  }

  /** True when there was one. */
  remove(member: Buffer): boolean {
    const score = this.score(member);
    if (score === null) return false;
    this.take(member, score);
    return true;
  }

  /** Removes a member that is there. */
  take(member: Buffer, score: number): void {
    this.#changed = true;
    this.#size--;
    this.#bytes -= member.length + SCORE_BYTES;
    if (this.#packed !== null) {
      this.#packed.delete(text(member));
      return;
    }
    const at = position(score, member);
    this.#view.removeElement(this.#key, this.#row!, memberKey(member));
    this.#view.removeElement(this.#key, this.#row!, scoreKey(at));
    this.#tree.remove(at);
  }

  /** Drops all members but these, what was becoming garbage at once. */
  keepOnly(members: readonly Scored[]): void {
    this.#packed = byMember(members);
    this.#tree = new RankTree(this.#view, this.#key, null, NO_TREE);
    this.#overfull = [];
    this.#size = members.length;
    this.#bytes = members.reduce((sum, { member }) => sum + member.length + SCORE_BYTES, 0);
    this.#changed = true;
    this.#anew = true;
  }

  /** Writes the row's header; a set without members is removed. */
  finish(): void {
    if (!this.#changed) return;
    if (this.#size === 0) this.#view.remove(this.#key);
    else if (this.#packed !== null) this.#finishPacked([...this.#packed.values()]);
    else this.#finishLarge(this.#row);
  }

  #finishPacked(members: readonly Scored[]): void {
    const placed = members.map(({ member, score }) => {
      return { member, score: this.#packedAtOnce ? this.#kept(score) : score, at: position(score, member) };
    });
    placed.sort((a, b) => a.at.compare(b.at));
    const previous = this.#anew ? null : this.#row;
    if (placed.length <= limits.packedElements && this.#bytes <= limits.packedBytes) {
      const value = packScored(placed);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, previous, this.#change(false, value));
        return;
      }
    }
    this.#tree.build(placed.map(({ at }) => at));
    const row = this.#finishLarge(previous);
    for (const { member, score, at } of placed) {
      this.#view.putElement(this.#key, row, memberKey(member), scoreBytes(score));
      this.#view.putElement(this.#key, row, scoreKey(at), scoreMark(score));
    }
  }

  #finishLarge(previous: Row | null): Row {
    const { root } = this.#tree;
    if (root.root === 0 && this.#packed === null && this.#size > limits.countedElements) this.#note(EMPTY);
    const value = zsetHeaderValue({ ...root, overfull: this.#overfull });
    const row = this.#view.put(this.#key, previous, this.#change(true, value));
    this.#tree.finish(row);
    return row;
  }

  #change(large: boolean, value: Buffer): RowChange {
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    const encoding = this.#encoding;
    return { type: RowType.zset, encoding, expireAtMs, size: this.#size, bytes: this.#bytes, large, value };
  }
}

const EMPTY = Buffer.alloc(0);

function byMember(members: readonly Scored[]): Map<string, Scored> {
  return new Map(members.map((each) => [text(each.member), each]));
}

function text(member: Buffer): string {
  return member.latin1Slice(0, member.length);
}
