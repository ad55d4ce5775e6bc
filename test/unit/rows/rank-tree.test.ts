/** The tree of counts against a sorted array, with buckets and nodes so small that every kind of cut happens often. */
import { expect } from 'chai';
import type { Row, View } from '../../../server/execution/view.js';
import { RankTree, type TreeRoot } from '../../../server/rows/rank-tree.js';
import { Encoding, RowType } from '../../../server/storage/row.js';
import { FakePartition } from './fake-view.js';
import { generator } from './random-numbers.js';

const key = Buffer.from('tree');
const sizes = { bucketMost: 6, nodeMost: 4 };

/** Each change with a tree of its own, as operations make them. */
class Counted {
  readonly partition = new FakePartition();
  readonly view: View = this.partition.view(0);
  readonly row: Row = this.view.put(key, null, {
    type: RowType.zset,
    encoding: Encoding.skiplist,
    expireAtMs: 0,
    size: 0,
    bytes: 0,
    large: true,
    value: Buffer.alloc(0),
  });
  root: TreeRoot = { root: 0, lastId: 0 };
  overfull: Buffer[] = [];
  positions: string[] = [];

  change(what: (tree: RankTree) => void): void {
    const tree = new RankTree(this.view, key, this.row, this.root, sizes);
    for (const from of this.overfull) {
      tree.cut(from, this.positions.length, (gte, lt, limit) =>
        this.positions
          .filter((each) => each >= gte.toString() && (lt === null || each < lt.toString()))
          .slice(0, limit)
          .map((each) => Buffer.from(each)),
      );
    }
    this.overfull = [];
    what(tree);
    tree.finish(this.row);
    this.root = tree.root;
    if (this.root.root === 0 && this.positions.length > sizes.bucketMost) this.overfull = [Buffer.alloc(0)];
  }

  add(position: string): void {
    this.change((tree) => {
      this.positions.push(position);
      this.positions.sort();
      this.note(tree.add(Buffer.from(position)));
    });
  }

  remove(position: string): void {
    this.change((tree) => {
      this.positions.splice(this.positions.indexOf(position), 1);
      tree.remove(Buffer.from(position));
    });
  }

  move(from: string, to: string): void {
    this.change((tree) => {
      this.positions.splice(this.positions.indexOf(from), 1, to);
      this.positions.sort();
      this.note(tree.move(Buffer.from(from), Buffer.from(to)));
    });
  }

  note(from: Buffer | null): void {
    if (from !== null) this.overfull.push(Buffer.from(from));
  }

  expectTrue(): void {
    const tree = new RankTree(this.view, key, this.row, this.root, sizes);
    const rankOf = (position: string): number => {
      const { from, count } = tree.before(Buffer.from(position));
      return count + this.positions.filter((each) => each >= from.toString() && each < position).length;
    };
    for (const [rank, position] of this.positions.entries()) {
      expect(rankOf(position), `rank of ${position}`).to.equal(rank);
      const bucket = tree.at(rank);
      expect(bucket.count, `bucket of rank ${rank}`).to.equal(rankOf(bucket.from.toString()));
      expect(rank - bucket.count).to.be.within(0, 3 * sizes.bucketMost);
    }
    expect(rankOf('zzzz')).to.equal(this.positions.length);
    expect(rankOf('')).to.equal(0);
  }
}

describe('the tree of counts', () => {
  for (const [order, position] of [
    ['at random', (_: number, random: () => number) => `p${Math.floor(random() * 1e9)}`],
    ['always at the end', (i: number) => `p${String(i).padStart(6, '0')}`],
    ['always at the beginning', (i: number) => `p${String(999_999 - i)}`],
  ] as const) {
    it(`knows all ranks while entries are added ${order}, move and go`, () => {
      const random = generator(7);
      const counted = new Counted();
      for (let i = 0; i < 400; i++) {
        counted.add(position(i, random));
        if (i % 40 === 0) counted.expectTrue();
      }
      expect(counted.root.root).to.be.above(0);
      counted.expectTrue();
      for (let i = 0; i < 300; i++) {
        const from = counted.positions[Math.floor(random() * counted.positions.length)]!;
        counted.move(from, `${from.slice(0, 3)}${Math.floor(random() * 1e9)}`);
        if (i % 40 === 0) counted.expectTrue();
      }
      while (counted.positions.length > 1) {
        counted.remove(counted.positions[Math.floor(random() * counted.positions.length)]!);
        if (counted.positions.length % 40 === 0) counted.expectTrue();
      }
      counted.expectTrue();
      counted.remove(counted.positions[0]!);
      expect(counted.root.root).to.equal(0);
      expect(counted.partition.stored(0, key).elements, 'no node is left behind').to.equal(0);
    });
  }

  it('is built at once as it is built one by one', () => {
    for (const count of [0, 6, 7, 30, 1_000]) {
      const counted = new Counted();
      counted.positions = Array.from({ length: count }, (_, i) => `p${String(i).padStart(5, '0')}`);
      counted.change((tree) => tree.build(counted.positions.map((each) => Buffer.from(each))));
      expect(counted.root.root > 0).to.equal(count > sizes.bucketMost);
      counted.expectTrue();
    }
  });

  it('separates long positions by as little as possible', () => {
    const counted = new Counted();
    counted.positions = Array.from({ length: 60 }, (_, i) => `${String.fromCharCode(40 + i)}${'x'.repeat(1_000)}`);
    counted.change((tree) => tree.build(counted.positions.map((each) => Buffer.from(each))));
    counted.expectTrue();
    const bytes = counted.view
      .elements(key, counted.row, { gte: null, lt: null, reverse: false, limit: 1_000 })
      .reduce((sum, { value }) => sum + value.length, 0);
    expect(bytes).to.be.below(1_000);
  });
});
