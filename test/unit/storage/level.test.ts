import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import { DiskQueue } from '../../../server/storage/disk-queue.js';
import { openLevelFactory } from '../../../server/storage/level-factory.js';
import type { Store, StoreFactory } from '../../../server/storage/store.js';
import { call, close, codeOf, storeConformance, write } from './store-conformance.js';

const limits = { cacheBytes: 1 << 20, writeBufferBytes: 1 << 20, openFiles: 64 };
const temporary = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'tulpar-store-'));
const openFactory = (directory: string): Promise<StoreFactory> =>
  call((done) => openLevelFactory({ ...limits, directory, queue: new DiskQueue(3) }, done));
const removeTree = (directory: string): void => fs.rmSync(directory, { recursive: true, force: true });

storeConformance('level', async () => {
  const directory = temporary();
  // Stores that a test left open keep their files for a while; nothing of theirs is read again.
  return { open: () => openFactory(directory), remove: async () => removeTree(directory) };
});

describe('level store factory', () => {
  let directory: string;
  let factory: StoreFactory;
  const key = Buffer.from('which');
  const make = async (name: string, value: string): Promise<void> => {
    const store = await call<Store>((done) => factory.open(name, done));
    await write(store, [{ key, value: Buffer.from(value) }], true);
    await close(store);
  };
  const content = async (name: string): Promise<string | undefined> => {
    const store = await call<Store>((done) => factory.open(name, done));
    const value = store.getSync(key)?.toString();
    await close(store);
    return value;
  };

  beforeEach(async () => {
    directory = temporary();
    factory = await openFactory(directory);
  });
  afterEach(() => removeTree(directory));

  it('goes back to the old store when a crash came between the two renames of a replacement', async () => {
    await make('a', 'old');
    await make('a.learning', 'new');
    fs.renameSync(path.join(directory, 'a'), path.join(directory, 'a.replaced'));
    factory = await openFactory(directory);
    expect(await content('a')).to.equal('old');
  });

  it('goes on with the new store when a crash came after both', async () => {
    await make('a', 'new');
    await make('b', 'old');
    fs.renameSync(path.join(directory, 'b'), path.join(directory, 'a.replaced'));
    factory = await openFactory(directory);
    expect(await content('a')).to.equal('new');
    expect(fs.readdirSync(directory)).to.deep.equal(['a']);
  });

  it('ends a removal that a crash interrupted', async () => {
    await make('a', 'x');
    fs.renameSync(path.join(directory, 'a'), path.join(directory, 'a.removed'));
    fs.unlinkSync(path.join(directory, 'a.removed', 'CURRENT'));
    factory = await openFactory(directory);
    expect(fs.readdirSync(directory)).to.deep.equal([]);
  });

  it('says E_CORRUPT for a store that cannot be opened, and sets it aside with the reason in it', async () => {
    await make('a', 'x');
    fs.writeFileSync(path.join(directory, 'a', 'CURRENT'), 'MANIFEST-999999\n');
    expect(await codeOf(call((done) => factory.open('a', done)))).to.equal('E_CORRUPT');
    await call<void>((done) => factory.setAside('a', 'its manifest is missing', done));
    expect(fs.readdirSync(directory)).to.deep.equal(['a.damaged-1']);
    expect(fs.readFileSync(path.join(directory, 'a.damaged-1', 'WHY-SET-ASIDE.txt'), 'utf8')).to.equal(
      'its manifest is missing\n',
    );
    expect(await content('a')).to.equal(undefined);
  });

  it('refuses names that would leave its directory or look like its own', () => {
    for (const name of ['../a', 'a/b', '', 'a.replaced', 'a.removed', 'a.damaged-1']) {
      expect(() => factory.open(name, () => undefined)).to.throw(/invariant/);
    }
  });
});

describe('a level store with more tables than may be open', () => {
  let directory: string;
  let store: Store;
  const tables = (count: number): void => {
    fs.mkdirSync(path.join(directory, 'a'), { recursive: true });
    // LevelDB leaves alone what has no number for a name
    for (let i = 0; i < count; i++) fs.writeFileSync(path.join(directory, 'a', `table-${i}.ldb`), '');
  };
  const open = async (): Promise<Store> => {
    const factory = await openFactory(directory);
    return call<Store>((done) => factory.open('a', done));
  };
  const keys = ['a', 'aa', 'ab', 'b', 'zzz'].map((key) => Buffer.from(key));
  const read = async (): Promise<(string | undefined)[]> =>
    (await call<(Buffer | undefined)[]>((done) => store.getMany(keys, done))).map((value) => value?.toString());

  beforeEach(() => {
    directory = temporary();
  });
  afterEach(async () => {
    await close(store);
    removeTree(directory);
  });

  it('has no cheap point reads, and reads the same', async () => {
    tables(limits.openFiles + 1);
    store = await open();
    expect(store.cheapReads).to.equal(false);
    await write(store, [
      { key: Buffer.from('aa'), value: Buffer.from('1') },
      { key: Buffer.from('b'), value: Buffer.from('') },
      { key: Buffer.from('c'), value: Buffer.from('3') },
    ]);
    expect(await read()).to.deep.equal([undefined, '1', undefined, '', undefined]);
    await write(store, [
      { key: Buffer.from('aa'), value: null },
      { key: Buffer.from('ab'), value: Buffer.from('2') },
    ]);
    expect(await read()).to.deep.equal([undefined, undefined, '2', '', undefined]);
  });

  it('is known by what was written, too', async () => {
    store = await open();
    expect(store.cheapReads).to.equal(true);
    tables(limits.openFiles + 1);
    const value = Buffer.alloc(limits.writeBufferBytes / 8);
    while (store.cheapReads) await write(store, [{ key: Buffer.from('k'), value }]);
    expect(await read()).to.deep.equal(keys.map(() => undefined));
  });
});
