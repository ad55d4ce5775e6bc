/**
 * How many entries lie before a position, in a collection that is too large to count: a tree of counts beside the
 * entries themselves, kept as elements of the same row and changed in the same mutation.
 *
 * The entries, in the order of their positions, are cut into buckets of at most 512; a bucket is known by the
 * position that it begins with (shortened, as long as it still separates it from the one before). Nodes of level 1
 * hold the beginnings and the counts of up to 128 buckets, nodes of higher levels those of nodes below. Five
 * million entries are about 15,000 buckets, 200 nodes and their root: a rank takes two nodes, looked up one by one and
 * usually in memory, and one range of at most a bucket.
 *
 *              root   counts 40,211 | 37,040 | ...
 *                       |        \
 *       node   counts 255 | 391 | ...      what separates them is in an element of its own, as it
 *                      |     |             rarely changes: an added entry rewrites counts only
 *   entries  ==========|=====|=====...
 *
 * A bucket that has grown too large must be read to be cut, which is left to the beginning of the next operation
 * that adds: an operation that has to wait for a page begins anew, and there it has done nothing yet.
 *
 *   element: 3, node u32 -> level u8, then of each child the id u32 (0: a bucket) and, length before it, where it begins
 *   element: 4, node u32 -> the children's counts as varints
 */
import { invariant } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Row, View } from '../execution/view.js';
import { packParts, unpackParts } from './packed.js';

const SHAPE = 3;
const COUNTS = 4;
/** What is cut is cut in halves, so that as much can be added before the next cut. */
export interface TreeSizes {
  readonly bucketMost: number;
  readonly nodeMost: number;
}
const SIZES: TreeSizes = { bucketMost: limits.countedElements, nodeMost: 128 };
const ID_BYTES = 4;
const BUCKET_ID = 0;
const EMPTY = Buffer.alloc(0);

interface Child {
  /** Of a node; BUCKET_ID: a bucket. */
  readonly id: number;
  /** Nothing that comes before this belongs here; empty for the first child, which begins where its node does. */
  readonly from: Buffer;
}

interface Node {
  readonly id: number;
  readonly level: number;
  children: Child[];
  counts: number[];
  reshaped: boolean;
  recounted: boolean;
}

interface Step {
  readonly node: Node;
  readonly index: number;
  /** Where the child begins, the node's own beginning included. */
  readonly from: Buffer;
}

/** What of the tree is in the row's header. */
export interface TreeRoot {
  /** 0: there is no tree, as all entries are one bucket. */
  readonly root: number;
  readonly lastId: number;
}

/** Reads a bucket's entries: their positions from `from` up to, not including, `to` (null: to the end), in order. */
export type ReadPositions = (from: Buffer, to: Buffer | null, limit: number) => Buffer[];

export class RankTree {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  readonly #sizes: TreeSizes;
  readonly #nodes = new Map<number, Node>();
  readonly #gone: number[] = [];
  #root: number;
  #lastId: number;

  /** `row` null: there is nothing yet; only `build` may follow. */
  constructor(view: View, key: Buffer, row: Row | null, { root, lastId }: TreeRoot, sizes = SIZES) {
    this.#view = view;
    this.#key = key;
    this.#row = row;
    this.#sizes = sizes;
    this.#root = root;
    this.#lastId = lastId;
  }

  get root(): TreeRoot {
    return { root: this.#root, lastId: this.#lastId };
  }

  /** The bucket that `position` lies in: where it begins, and how many entries come before it. */
  before(position: Buffer): { from: Buffer; count: number } {
    let count = 0;
    let from: Buffer = EMPTY;
    for (const step of this.#path(position)) {
      for (let i = 0; i < step.index; i++) count += step.node.counts[i]!;
      from = step.from;
    }
    return { from, count };
  }

  /** The bucket that holds the entry of that rank. */
  at(rank: number): { from: Buffer; count: number } {
    let count = 0;
    let from: Buffer = EMPTY;
    for (let id = this.#root; id !== BUCKET_ID; ) {
      const node = this.#node(id);
      let index = 0;
      while (index < node.counts.length - 1 && count + node.counts[index]! <= rank) count += node.counts[index++]!;
      const child = node.children[index]!;
      if (index > 0) from = child.from;
      id = child.id;
    }
    return { from, count };
  }

  /** One entry more at `position`. Returns where its bucket begins if that should be cut, else null. */
  add(position: Buffer): Buffer | null {
    const path = this.#path(position);
    const last = path.at(-1);
    if (last === undefined) return null;
    for (const { node, index } of path) this.#count(node, index, 1);
    return last.node.counts[last.index]! > this.#sizes.bucketMost ? last.from : null;
  }

  /** One entry less at `position`. */
  remove(position: Buffer): void {
    const path = this.#path(position);
    for (const { node, index } of path) this.#count(node, index, -1);
    for (let i = path.length - 1; i >= 0; i--) {
      const { node, index } = path[i]!;
      if (node.counts[index]! > 0) break;
      node.children.splice(index, 1);
      node.counts.splice(index, 1);
      node.reshaped = true;
      if (node.children.length > 0) {
        node.children[0] = { id: node.children[0]!.id, from: EMPTY };
        break;
      }
      this.#drop(node);
      if (i === 0) this.#root = BUCKET_ID;
    }
    this.#lowerRoot();
  }

  /** As `remove` and `add`, without a change where both are in one bucket. */
  move(position: Buffer, to: Buffer): Buffer | null {
    const source = this.#path(position).at(-1);
    const target = this.#path(to).at(-1);
    if (source === undefined || target === undefined) return null;
    if (source.node === target.node && source.index === target.index) return null;
    const grown = this.add(to);
    this.remove(position);
    return grown;
  }

  /** Cuts the bucket that begins at `from`, of `size` entries where there is no tree yet. */
  cut(from: Buffer, size: number, read: ReadPositions): void {
    const path = this.#path(from);
    const last = path.at(-1);
    if (last === undefined) {
      if (size > this.#sizes.bucketMost) this.build(read(EMPTY, null, size));
      return;
    }
    const { node, index } = last;
    const count = node.counts[index]!;
    if (count <= this.#sizes.bucketMost) return;
    const positions = read(last.from, this.#endOf(path), count);
    invariant(positions.length === count, 'a bucket has as many entries as are counted');
    const pieces = bucketsOf(positions, this.#sizes.bucketMost / 2);
    pieces.children[0] = node.children[index]!;
    node.children.splice(index, 1, ...pieces.children);
    node.counts.splice(index, 1, ...pieces.counts);
    node.reshaped = true;
    this.#cutNodes(path.slice(0, -1), node);
  }

  /** A tree from all positions in order, in place of what there was; none where they fit one bucket. */
  build(positions: readonly Buffer[]): void {
    if (positions.length <= this.#sizes.bucketMost) return;
    const { children, counts } = bucketsOf(positions, this.#sizes.bucketMost / 2);
    const node = this.#add(1, children, counts);
    this.#root = node.id;
    this.#cutNodes([], node);
  }

  /** Writes what has changed. `row`: that of the elements. */
  finish(row: Row): void {
    for (const id of this.#gone) {
      this.#view.removeElement(this.#key, row, nodeKey(SHAPE, id));
      this.#view.removeElement(this.#key, row, nodeKey(COUNTS, id));
    }
    for (const node of this.#nodes.values()) {
      if (node.reshaped) this.#view.putElement(this.#key, row, nodeKey(SHAPE, node.id), packShape(node));
      if (node.reshaped || node.recounted)
        this.#view.putElement(this.#key, row, nodeKey(COUNTS, node.id), packCounts(node.counts));
      node.reshaped = false;
      node.recounted = false;
    }
  }

  #path(position: Buffer): Step[] {
    const path: Step[] = [];
    let from: Buffer = EMPTY;
    for (let id = this.#root; id !== BUCKET_ID; ) {
      const node = this.#node(id);
      const index = childFor(node.children, position);
      const child = node.children[index]!;
      if (index > 0) from = child.from;
      path.push({ node, index, from });
      id = child.id;
    }
    return path;
  }

  /** Where the bucket at the end of the path ends, null at the end of all. */
  #endOf(path: readonly Step[]): Buffer | null {
    const turn = path.findLast(({ node, index }) => index < node.children.length - 1);
    return turn === undefined ? null : turn.node.children[turn.index + 1]!.from;
  }

  #cutNodes(above: readonly Step[], node: Node): void {
    if (node.children.length <= this.#sizes.nodeMost) return;
    const { children, counts } = node;
    const parent = above.at(-1) ?? { node: this.#raiseRoot(node), index: 0, from: EMPTY };
    const size = even(children.length, this.#sizes.nodeMost / 2);
    node.children = children.slice(0, size);
    node.counts = counts.slice(0, size);
    node.reshaped = true;
    const pieces = [node];
    for (let at = size; at < children.length; at += size) {
      const [first, ...others] = children.slice(at, at + size);
      pieces.push(this.#add(node.level, [{ id: first!.id, from: EMPTY }, ...others], counts.slice(at, at + size)));
    }
    const own = parent.node.children[parent.index]!;
    const parts = pieces.map((piece, i) => (i === 0 ? own : { id: piece.id, from: children[i * size]!.from }));
    parent.node.children.splice(parent.index, 1, ...parts);
    parent.node.counts.splice(parent.index, 1, ...pieces.map((piece) => sum(piece.counts)));
    parent.node.reshaped = true;
    this.#cutNodes(above.slice(0, -1), parent.node);
  }

  #raiseRoot(node: Node): Node {
    const root = this.#add(node.level + 1, [{ id: node.id, from: EMPTY }], [sum(node.counts)]);
    this.#root = root.id;
    return root;
  }

  /** A root with one node below it says nothing. */
  #lowerRoot(): void {
    while (this.#root !== BUCKET_ID) {
      const root = this.#node(this.#root);
      if (root.level === 1 || root.children.length > 1) return;
      this.#root = root.children[0]!.id;
      this.#drop(root);
    }
  }

  #add(level: number, children: Child[], counts: number[]): Node {
    this.#lastId++;
    const node = { id: this.#lastId, level, children, counts, reshaped: true, recounted: true };
    this.#nodes.set(node.id, node);
    return node;
  }

  #drop(node: Node): void {
    this.#nodes.delete(node.id);
    this.#gone.push(node.id);
  }

  #count(node: Node, index: number, change: 1 | -1): void {
    node.counts[index]! += change;
    node.recounted = true;
  }

  #node(id: number): Node {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const shape = this.#view.element(this.#key, this.#row!, nodeKey(SHAPE, id));
    const counts = this.#view.element(this.#key, this.#row!, nodeKey(COUNTS, id));
    invariant(shape !== null && counts !== null, 'a node of a rank tree has its elements');
    const { level, children } = unpackShape(shape);
    const node = {
      id,
      level,
      children: [...children],
      counts: unpackCounts(counts),
      reshaped: false,
      recounted: false,
    };
    invariant(node.counts.length === children.length, 'a node of a rank tree has a count for each child');
    this.#nodes.set(id, node);
    return node;
  }
}

/** The last child that begins at `position` or before. */
function childFor(children: readonly Child[], position: Buffer): number {
  let low = 0;
  let high = children.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (children[middle]!.from.compare(position) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

function bucketsOf(positions: readonly Buffer[], piece: number): { children: Child[]; counts: number[] } {
  const children: Child[] = [];
  const counts: number[] = [];
  const size = even(positions.length, piece);
  for (let at = 0; at < positions.length; at += size) {
    const from = at === 0 ? EMPTY : separator(positions[at - 1]!, positions[at]!);
    children.push({ id: BUCKET_ID, from });
    counts.push(Math.min(size, positions.length - at));
  }
  return { children, counts };
}

/** How large pieces of about `piece` are so that all have the same size. */
function even(total: number, piece: number): number {
  return Math.ceil(total / Math.ceil(total / piece));
}

/** The shortest that comes behind `a` and not behind `b`. */
function separator(a: Buffer, b: Buffer): Buffer {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return Buffer.from(b.subarray(0, same + 1));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function nodeKey(kind: number, id: number): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + ID_BYTES);
  sortKey[0] = kind;
  sortKey.writeUInt32BE(id, 1);
  return sortKey;
}

function packShape({ level, children }: Node): Buffer {
  const ids = Buffer.allocUnsafe(ID_BYTES * children.length);
  children.forEach(({ id }, i) => ids.writeUInt32BE(id, ID_BYTES * i));
  return packParts([Buffer.of(level), ids, ...children.map(({ from }) => from)]);
}

interface Shape {
  readonly level: number;
  readonly children: readonly Child[];
}

/** Shapes rarely change, and while an element is in memory it is the same Buffer: unpacked once. */
const unpacked = new WeakMap<Buffer, Shape>();

function unpackShape(bytes: Buffer): Shape {
  const known = unpacked.get(bytes);
  if (known !== undefined) return known;
  const [level, ids, ...froms] = unpackParts(bytes);
  const children = froms.map((from, i) => ({ id: ids!.readUInt32BE(ID_BYTES * i), from }));
  const shape = { level: level![0]!, children };
  unpacked.set(bytes, shape);
  return shape;
}

function packCounts(counts: readonly number[]): Buffer {
  const bytes: number[] = [];
  for (const count of counts) {
    let rest = count;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

function unpackCounts(bytes: Buffer): number[] {
  const counts: number[] = [];
  let count = 0;
  let weight = 1;
  for (const byte of bytes) {
    count += (byte & 0x7f) * weight;
    weight *= 128;
    if (byte >= 0x80) continue;
    counts.push(count);
    count = 0;
    weight = 1;
  }
  return counts;
}
