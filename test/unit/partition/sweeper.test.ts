import { expect } from 'chai';
import type { Partition } from '../../../server/partition/partition.js';
import { Sweeper } from '../../../server/partition/sweeper.js';
import { everything, garbageKey, KeyspaceKeys, makeId, toBuffer } from '../../../server/storage/keys.js';
import { MemoryStoreFactory } from '../../../server/storage/memory.js';
import type { Entry, Range, Store, Write } from '../../../server/storage/store.js';
import { ManualEnvironment } from '../execution/primary.js';

const keys = new KeyspaceKeys(makeId(0, 0));
const prefix = (version: number): string => keys.elements(0, 0, 'row', makeId(version, 0));
const element = (version: number, n: number): Buffer => toBuffer(prefix(version) + String(n).padStart(6, '0'));
const record = (version: number): Write => ({
  key: toBuffer(garbageKey(makeId(version, 1))),
  value: toBuffer(prefix(version)),
});

class Bench {
  readonly environment = new ManualEnvironment();
  /** Where the pages of garbage began that were read. */
  readonly pages: Buffer[] = [];
  private readonly factory = new MemoryStoreFactory(this.environment);
  private readonly partition = { host: { environment: this.environment }, store: this.open('first') };
  private readonly sweeper = new Sweeper(this.partition as unknown as Partition);

  private open(name: string): Store {
    let opened: Store | undefined;
    this.factory.open(name, (_error, store) => {
      opened = store;
    });
    this.environment.settle();
    const range = opened!.range.bind(opened);
    opened!.range = (wanted: Range, done): void => {
      if (wanted.gte[0] === 1) this.pages.push(wanted.gte);
      range(wanted, done);
    };
    return opened!;
  }

  write(writes: readonly Write[]): this {
    this.partition.store.write(writes, false, () => undefined);
    this.environment.settle();
    return this;
  }

  replaceStore(): this {
    this.partition.store = this.open('second');
    return this;
  }

  tick(times: number): this {
    for (let i = 0; i < times; i++) {
      this.environment.nowMs += 1_000;
      this.sweeper.tick();
      this.environment.settle();
    }
    return this;
  }

  get left(): Entry[] {
    let entries: Entry[] = [];
    const range = { gte: toBuffer(everything.gte), lt: toBuffer(everything.lt), limit: 1e6, limitBytes: 1e9 };
    this.partition.store.range(range, (_error, found) => {
      entries = found ?? [];
    });
    this.environment.settle();
    return entries;
  }
}

function elements(version: number, count: number): Write[] {
  return Array.from({ length: count }, (_, n) => ({ key: element(version, n), value: Buffer.from('v') }));
}

describe('the sweeper', () => {
  it('deletes what a record names, the record last, and nothing else', () => {
    const bench = new Bench().write([...elements(1, 2_500), ...elements(2, 10), record(1)]);
    bench.tick(3);
    expect(bench.left.length).to.equal(11);
    bench.tick(1);
    expect(bench.left.map(({ key }) => key.toString('latin1'))).to.deep.equal(
      elements(2, 10).map(({ key }) => key.toString('latin1')),
    );
  });

  it('reads on behind what it has deleted, not past it again', () => {
    const bench = new Bench().write([...elements(1, 2_500), record(1)]).tick(5);
    const behind = (n: number): Buffer => Buffer.concat([element(1, n), Buffer.alloc(1)]);
    expect(bench.pages).to.deep.equal([toBuffer(prefix(1)), behind(999), behind(1_999), behind(2_499)]);
  });

  it('begins anew with another record, and in another store', () => {
    const bench = new Bench().write([...elements(1, 1_500), ...elements(2, 5), record(1), record(2)]);
    bench.tick(6);
    expect(bench.left).to.deep.equal([]);
    bench.write([...elements(3, 1_500), record(3)]).tick(1);
    bench
      .replaceStore()
      .write([...elements(3, 1_500), record(3)])
      .tick(4);
    expect(bench.left).to.deep.equal([]);
  });
});
