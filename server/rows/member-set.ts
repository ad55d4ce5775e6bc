/**
 * One set, with the same calls whether it is packed in its row's header, large or not there yet.
 *
 * A large set is numbered without holes: every member has an element that tells its number and every number one
 * that tells its member; what is removed leaves its number to the last member. So a random member is one look-up
 * away, exactly uniform, and a walk from the highest number down needs no more of a cursor than a number: what is
 * added meanwhile comes behind it, and a member that takes over a lower number is met again rather than missed.
 *
 *   element: 1, number u48 -> member        element: 2, member -> number u48
 *
 * The encoding is what Redis would have: `intset` while there were integers only, and few; then `hashtable`.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import type { Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { hasPart, packParts, unpackParts } from './packed.js';
import { WRONG_TYPE } from './strings.js';
import { checkRead } from './whole-reads.js';

const BY_NUMBER = 1;
const BY_MEMBER = 2;
const NUMBER_BYTES = 6;
/** Redis's default for set-max-intset-entries. */
const INTSET_ENTRIES = 512;
const EMPTY = Buffer.alloc(0);

/** The row, if it is a set or absent. */
export function setRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.set) throw new ClientError(WRONG_TYPE);
  return row;
}

/** Whether Redis would keep these as an intset. */
export function isIntset(members: readonly Buffer[]): boolean {
  return members.length <= INTSET_ENTRIES && members.every((member) => parseInteger(member) !== null);
}

/** Whether a set's row has the member. */
export function rowHas(view: View, key: Buffer, row: Row, member: Buffer): boolean {
  return row.large ? view.element(key, row, memberKey(member)) !== null : hasPart(row.value, member);
}

/** Members that `rowHas` is asked for next. */
export function rowExpects(view: View, key: Buffer, row: Row, members: readonly Buffer[]): void {
  if (row.large) view.expect(key, row, members.map(memberKey));
}

/** Members numbered from `from` up to, not including, `to`; both are within the set. */
export function rowMembers(view: View, key: Buffer, row: Row, from = 0, to = row.size): Buffer[] {
  if (!row.large) return unpackParts(row.value).slice(from, to);
  const count = to - from;
  if (count <= limits.elementLookUps)
    return Array.from({ length: count }, (_, i) => memberOf(view, key, row, from + i));
  checkRead(count);
  const range = { gte: numberKey(from), lt: numberKey(to), reverse: false, limit: count };
  const found = view.elements(key, row, range);
  invariant(found.length === count, 'a set is numbered without holes');
  return found.map(({ value }) => value);
}

/** Members of these numbers, which are looked up together. */
export function numberedMembers(view: View, key: Buffer, row: Row, numbers: readonly number[]): Buffer[] {
  if (!row.large) {
    const members = unpackParts(row.value);
    return numbers.map((number) => members[number]!);
  }
  view.expect(key, row, numbers.map(numberKey));
  return numbers.map((number) => memberOf(view, key, row, number));
}

export class MemberSet {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  /** Of a set that is, or will be, written as a whole: its members by number. */
  #packed: Buffer[] | null;
  /** Numbers of `#packed`, once these are too many to look through. */
  #numbers: Map<string, number> | null = null;
  #size = 0;
  #bytes = 0;
  #encoding: Encoding;
  #changed = false;
  /** The row is written anew, in place of whatever is there. */
  #anew: boolean;

  private constructor(view: View, key: Buffer, row: Row | null, anew: boolean) {
    this.#view = view;
    this.#key = key;
    this.#row = row;
    this.#anew = anew;
    this.#changed = anew;
    this.#encoding = row === null || row.encoding === Encoding.intset ? Encoding.intset : Encoding.hashtable;
    this.#packed = row === null ? [] : row.large ? null : unpackParts(row.value);
    this.#size = row?.size ?? 0;
    this.#bytes = row?.bytes ?? 0;
  }

  static of(view: View, key: Buffer): MemberSet {
    return new MemberSet(view, key, setRow(view, key), false);
  }

  /** A new set that takes the place of what is at `key`, of whatever type; without members it only removes that. */
  static replacing(view: View, key: Buffer): MemberSet {
    return new MemberSet(view, key, null, true);
  }

  /** 0: there is no set. */
  get size(): number {
    return this.#size;
  }

  /** Members that are looked up next. */
  expect(members: readonly Buffer[]): void {
    if (this.#packed === null) this.#view.expect(this.#key, this.#row!, members.map(memberKey));
  }

  /** True when it is new. */
  add(member: Buffer): boolean {
    if (this.#numberOf(member) !== null) return false;
    const number = this.#size;
    if (this.#packed === null) {
      this.#put(number, member);
    } else {
      this.#packed.push(member);
      this.#numbers?.set(text(member), number);
    }
    this.#size++;
    this.#bytes += member.length;
    if (this.#size > INTSET_ENTRIES || parseInteger(member) === null) this.#encoding = Encoding.hashtable;
    this.#changed = true;
    return true;
  }

  /** A set that once held something else than integers stays a hashtable in Redis, too. */
  noMoreIntegers(): void {
    this.#encoding = Encoding.hashtable;
  }

  /** True when there was one. */
  remove(member: Buffer): boolean {
    const number = this.#numberOf(member);
    if (number === null) return false;
    this.#removeAt(number, member);
    return true;
  }

  /** Removes up to `count` members, all choices being equally likely. */
  takeRandom(count: number): Buffer[] {
    const taken = Math.min(count, this.#size);
    if (2 * taken > this.#size) return this.#takeMost(taken);
    return Array.from({ length: taken }, () => {
      const number = Math.floor(this.#view.random() * this.#size);
      const member = this.#memberAt(number);
      this.#removeAt(number, member);
      return member;
    });
  }

  /** Writes the row's header; a set without members is removed. */
  finish(): void {
    if (!this.#changed) return;
    if (this.#size === 0) this.#view.remove(this.#key);
    else if (this.#packed !== null) this.#finishPacked(this.#packed);
    else this.#view.put(this.#key, this.#row, this.#change(true, EMPTY));
  }

  #finishPacked(members: readonly Buffer[]): void {
    const previous = this.#anew ? null : this.#row;
    if (members.length <= limits.packedElements && this.#bytes <= limits.packedBytes) {
      const value = packParts(members);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, previous, this.#change(false, value));
        return;
      }
    }
    const row = this.#view.put(this.#key, previous, this.#change(true, EMPTY));
    members.forEach((member, number) => this.#put(number, member, row));
  }

  #change(large: boolean, value: Buffer): RowChange {
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    const encoding = this.#encoding;
    return { type: RowType.set, encoding, expireAtMs, size: this.#size, bytes: this.#bytes, large, value };
  }

  /** What stays is less than what goes: it is written anew, and the rest becomes garbage at once. */
  #takeMost(count: number): Buffer[] {
    const members = this.#packed ?? rowMembers(this.#view, this.#key, this.#row!, 0, this.#size);
    for (let i = 0; i < count; i++) {
      const other = i + Math.floor(this.#view.random() * (members.length - i));
      [members[i], members[other]] = [members[other]!, members[i]!];
    }
    const taken = members.slice(0, count);
    this.#packed = members.slice(count);
    this.#numbers = null;
    this.#anew = true;
    this.#changed = true;
    this.#size = this.#packed.length;
    for (const member of taken) this.#bytes -= member.length;
    return taken;
  }

  /** The last member takes the number. */
  #removeAt(number: number, member: Buffer): void {
    const last = this.#size - 1;
    const lastMember = this.#memberAt(last);
    if (this.#packed !== null) {
      this.#packed[number] = lastMember;
      this.#packed.pop();
      this.#numbers?.set(text(lastMember), number);
      this.#numbers?.delete(text(member));
    } else {
      if (number !== last) this.#put(number, lastMember);
      this.#view.removeElement(this.#key, this.#row!, numberKey(last));
      this.#view.removeElement(this.#key, this.#row!, memberKey(member));
    }
    this.#size--;
    this.#bytes -= member.length;
    this.#changed = true;
  }

  #memberAt(number: number): Buffer {
    if (this.#packed === null) return memberOf(this.#view, this.#key, this.#row!, number);
    const member = this.#packed[number];
    invariant(member !== undefined, 'a number within the set');
    return member;
  }

  #numberOf(member: Buffer): number | null {
    const members = this.#packed;
    if (members === null) {
      const stored = this.#view.element(this.#key, this.#row!, memberKey(member));
      return stored === null ? null : stored.readUIntBE(0, NUMBER_BYTES);
    }
    if (members.length <= limits.packedElements) {
      const number = members.findIndex((each) => each.equals(member));
      return number < 0 ? null : number;
    }
    this.#numbers ??= new Map(members.map((each, number) => [text(each), number]));
    return this.#numbers.get(text(member)) ?? null;
  }

  #put(number: number, member: Buffer, row: Row = this.#row!): void {
    const stored = Buffer.allocUnsafe(NUMBER_BYTES);
    stored.writeUIntBE(number, 0, NUMBER_BYTES);
    this.#view.putElement(this.#key, row, numberKey(number), member);
    this.#view.putElement(this.#key, row, memberKey(member), stored);
  }
}

function memberOf(view: View, key: Buffer, row: Row, number: number): Buffer {
  const member = view.element(key, row, numberKey(number));
  invariant(member !== null, 'a set is numbered without holes');
  return member;
}

function numberKey(number: number): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + NUMBER_BYTES);
  sortKey[0] = BY_NUMBER;
  sortKey.writeUIntBE(number, 1, NUMBER_BYTES);
  return sortKey;
}

function memberKey(member: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + member.length);
  sortKey[0] = BY_MEMBER;
  sortKey.set(member, 1);
  return sortKey;
}

function text(member: Buffer): string {
  return member.latin1Slice(0, member.length);
}
