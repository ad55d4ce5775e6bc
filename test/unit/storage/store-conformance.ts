/** What every Store and StoreFactory must do; each implementation's test is one line that calls this. */
import { expect } from 'chai';
import { fromBuffer } from '../../../server/storage/keys.js';
import type { Callback, Entry, Range, Snapshot, Store, StoreFactory, Write } from '../../../server/storage/store.js';

export interface StoreFixture {
  /** A factory on the fixture's disk; again after the previous one's stores were closed. */
  open(): Promise<StoreFactory>;
  remove(): Promise<void>;
}

/** A callback call as a promise. */
export function call<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, value) => (error === null ? resolve(value as T) : reject(error))),
  );
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const put = (key: string, value: string): Write => ({ key: bytes(key), value: bytes(value) });
const del = (key: string): Write => ({ key: bytes(key), value: null });
const text = (entries: Entry[]): string[] => entries.map(({ key, value }) => `${fromBuffer(key)}=${fromBuffer(value)}`);
const all = { gte: bytes(''), lt: bytes('\xff\xff'), limit: 1000, limitBytes: 1e6 };

export const write = (store: Store, writes: Write[], sync = false): Promise<void> =>
  call((done) => store.write(writes, sync, done));
const range = (store: Store | Snapshot, which: Range): Promise<string[]> =>
  call<Entry[]>((done) => store.range(which, done)).then(text);
export const close = (store: Store): Promise<void> => call((done) => store.close(done));

export function storeConformance(name: string, create: () => Promise<StoreFixture>): void {
  describe(`store: ${name}`, () => {
    let fixture: StoreFixture;
    let factory: StoreFactory;
    let store: Store;
    const open = (called: string): Promise<Store> => call((done) => factory.open(called, done));

    beforeEach(async () => {
      fixture = await create();
      factory = await fixture.open();
      store = await open('partition-1');
    });
    afterEach(() => fixture.remove());

    it('gives back exactly the bytes that were put, empty ones too', async () => {
      const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await write(store, [{ key: every, value: every }, put('empty', '')]);
      expect(store.getSync(every)).to.deep.equal(every);
      expect(store.getSync(bytes('empty'))).to.deep.equal(Buffer.alloc(0));
      expect(store.getSync(bytes('absent'))).to.equal(undefined);
      const many = await call((done: Callback<(Buffer | undefined)[]>) =>
        store.getMany([bytes('absent'), every, bytes('empty')], done),
      );
      expect(many).to.deep.equal([undefined, every, Buffer.alloc(0)]);
    });

    it('applies a batch as a whole, the last write of a key winning', async () => {
      await write(store, [put('a', '1'), put('b', '1')]);
      await write(store, [put('a', '2'), del('a'), put('a', '3'), del('b'), del('never')]);
      expect(await range(store, all)).to.deep.equal(['a=3']);
    });

    it('applies writes in the order of the calls', async () => {
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 50; i++) writes.push(write(store, [put('k', String(i))], i % 7 === 0));
      await Promise.all(writes);
      expect(store.getSync(bytes('k'))).to.deep.equal(bytes('49'));
    });

    it('walks a range in byte order, both ways, lower bound in and upper bound out', async () => {
      await write(
        store,
        ['b', '\xff', 'a', '\x00', 'ab', '\x80'].map((key) => put(key, '')),
      );
      expect(await range(store, all)).to.deep.equal(['\x00=', 'a=', 'ab=', 'b=', '\x80=', '\xff=']);
      expect(await range(store, { ...all, gte: bytes('a'), lt: bytes('\x80') })).to.deep.equal(['a=', 'ab=', 'b=']);
      expect(await range(store, { ...all, gte: bytes('a'), lt: bytes('\x80'), reverse: true })).to.deep.equal([
        'b=',
        'ab=',
        'a=',
      ]);
      expect(await range(store, { ...all, gte: bytes('c'), lt: bytes('c') })).to.deep.equal([]);
      expect(await range(store, { ...all, gte: bytes('d'), lt: bytes('c') })).to.deep.equal([]);
    });

    it('stops a page at the limit of entries, and after the entry that reaches the limit of bytes', async () => {
      await write(
        store,
        ['a', 'b', 'c', 'd', 'e'].map((key) => put(key, '1234')),
      );
      expect(await range(store, { ...all, limit: 2 })).to.deep.equal(['a=1234', 'b=1234']);
      expect(await range(store, { ...all, limit: 0 })).to.deep.equal([]);
      expect(await range(store, { ...all, limitBytes: 10 })).to.deep.equal(['a=1234', 'b=1234']);
      expect(await range(store, { ...all, limitBytes: 11 })).to.have.length(3);
      expect(await range(store, { ...all, limitBytes: 1 })).to.have.length(1);
      expect(await range(store, { ...all, limitBytes: 0 })).to.have.length(1);
      expect(await range(store, { ...all, limitBytes: 10, reverse: true, background: true })).to.deep.equal([
        'e=1234',
        'd=1234',
      ]);
    });

    it('reads a range as of the call', async () => {
      await write(store, [put('a', '1')]);
      const before = range(store, all);
      const writing = write(store, [put('a', '2'), put('b', '2')]);
      expect(await before).to.deep.equal(['a=1']);
      await writing;
    });

    it('keeps a snapshot as it was, until it is closed, through writes', async () => {
      await write(store, [put('a', '1'), put('b', '1')]);
      const snapshot = store.snapshot();
      await write(store, [put('a', '2'), del('b'), put('c', '2')]);
      expect(await range(snapshot, all)).to.deep.equal(['a=1', 'b=1']);
      const b = await call((done: Callback<Buffer | undefined>) => snapshot.get(bytes('b'), done));
      expect(b).to.deep.equal(bytes('1'));
      expect(await call((done: Callback<Buffer | undefined>) => snapshot.get(bytes('c'), done))).to.equal(undefined);
      const last = range(snapshot, all);
      snapshot.close();
      expect(await last).to.deep.equal(['a=1', 'b=1']);
      expect(await range(store, all)).to.deep.equal(['a=2', 'c=2']);
    });

    it('walks through a snapshot page by page, wherever each page begins, while it changes and others walk too', async () => {
      const keys = Array.from({ length: 500 }, (_, at) => `k${String(at).padStart(3, '0')}`);
      await write(
        store,
        keys.map((key) => put(key, '1')),
      );
      const snapshot = store.snapshot();
      const page = (from: string, limit = 3): Promise<string[]> =>
        range(snapshot, { gte: bytes(from), lt: bytes('z'), limit, limitBytes: 1_000_000, background: true });
      const found: string[] = [];
      for (let from = 'a'; ; ) {
        const [some, others] = await Promise.all([page(from), page('k400', 2), page('k401', 1)]);
        expect(others).to.deep.equal(['k400=1', 'k401=1']);
        if (some.length === 0) break;
        found.push(...some);
        await write(store, [put(some[0]!.slice(0, 4), '2')]);
        from = `${some.at(-1)!.slice(0, 4)}\0`;
      }
      expect(found).to.deep.equal(keys.map((key) => `${key}=1`));
      expect(await page('k003'), 'back to an earlier place').to.deep.equal(['k003=1', 'k004=1', 'k005=1']);
      expect(await page('k005\0', 1)).to.deep.equal(['k006=1']);
      const last = page('k006\0', 1);
      snapshot.close();
      expect(await last).to.deep.equal(['k007=1']);
    });

    it('waits for what is under way when it is closed, and refuses what comes later', async () => {
      const under = [write(store, [put('a', '1')]), write(store, [put('b', '1')])];
      const reading = range(store, all);
      const closing = close(store);
      expect(await codeOf(write(store, [put('c', '1')]))).to.equal('E_CLOSED');
      expect(await codeOf(range(store, all))).to.equal('E_CLOSED');
      expect(() => store.getSync(bytes('a'))).to.throw(/closed/);
      await Promise.all([...under, reading, closing]);
      store = await open('partition-1');
      expect(await range(store, all)).to.deep.equal(['a=1', 'b=1']);
    });

    it('keeps everything when closed and opened in another run', async () => {
      await write(store, [put('a', '1')], true);
      await close(store);
      factory = await fixture.open();
      expect(await call((done: Callback<string[]>) => factory.list(done))).to.deep.equal(['partition-1']);
      store = await open('partition-1');
      expect(store.getSync(bytes('a'))).to.deep.equal(bytes('1'));
    });

    it('says E_LOCKED when the store is open already', async () => {
      expect(await codeOf(open('partition-1'))).to.equal('E_LOCKED');
    });

    it('destroys a closed store, or one that never was', async () => {
      await close(store);
      await call((done: Callback) => factory.destroy('partition-1', done));
      await call((done: Callback) => factory.destroy('partition-1', done));
      expect(await call((done: Callback<string[]>) => factory.list(done))).to.deep.equal([]);
      store = await open('partition-1');
      expect(await range(store, all)).to.deep.equal([]);
    });

    for (const existing of [true, false]) {
      it(`replaces ${existing ? 'a store' : 'nothing'} by a learned one`, async () => {
        if (existing) await write(store, [put('old', '1')]);
        await close(store);
        if (!existing) await call((done: Callback) => factory.destroy('partition-1', done));
        const learned = await open('partition-1.learning');
        await write(learned, [put('new', '1')], true);
        await close(learned);
        await call((done: Callback) => factory.replace('partition-1.learning', 'partition-1', done));
        expect(await call((done: Callback<string[]>) => factory.list(done))).to.deep.equal(['partition-1']);
        store = await open('partition-1');
        expect(await range(store, all)).to.deep.equal(['new=1']);
      });
    }

    it('sets a store aside: out of the list, and the name is free again', async () => {
      for (let n = 0; n < 2; n++) {
        await write(store, [put('a', '1')]);
        await close(store);
        await call((done: Callback) => factory.setAside('partition-1', 'a test', done));
        expect(await call((done: Callback<string[]>) => factory.list(done))).to.deep.equal([]);
        store = await open('partition-1');
        expect(await range(store, all)).to.deep.equal([]);
      }
    });
  });
}
