import { expect } from 'chai';
import { MemoryDisk, MemoryStoreFactory, type Loss } from '../../../server/storage/memory.js';
import type { Store } from '../../../server/storage/store.js';
import { type Environment, systemEnvironment } from '../../../shared/environment.js';
import { call, codeOf, storeConformance, write } from './store-conformance.js';

storeConformance('memory', async () => {
  const disk = new MemoryDisk();
  return { open: async () => new MemoryStoreFactory(systemEnvironment, disk), remove: async () => undefined };
});

describe('memory store: a crash', () => {
  const key = Buffer.from('k');
  const contentAfter = async (loss: Loss, random: number): Promise<(string | undefined)[]> => {
    const environment: Environment = { ...systemEnvironment, random: () => random };
    const disk = new MemoryDisk();
    const factory = new MemoryStoreFactory(environment, disk);
    const store = await call<Store>((done) => factory.open('s', done));
    await write(store, [{ key, value: Buffer.from('1') }], true);
    await write(store, [
      { key, value: Buffer.from('2') },
      { key: Buffer.from('b'), value: Buffer.from('2') },
    ]);
    await write(store, [{ key, value: null }]);
    let calledBack = false;
    store.write([{ key, value: Buffer.from('4') }], true, () => {
      calledBack = true;
    });
    factory.crash(loss);
    const again = new MemoryStoreFactory(environment, disk);
    const survivor = await call<Store>((done) => again.open('s', done));
    expect(calledBack).to.equal(false);
    return [survivor.getSync(key)?.toString(), survivor.getSync(Buffer.from('b'))?.toString()];
  };

  it('of the process keeps every write that called back', async () => {
    expect(await contentAfter('none', 0)).to.deep.equal([undefined, '2']);
  });
  it('of the machine loses what was not synced', async () => {
    expect(await contentAfter('all', 0)).to.deep.equal(['1', undefined]);
  });
  it('of the machine may lose only the newest, in whole writes', async () => {
    expect(await contentAfter('some', 0.5)).to.deep.equal(['2', '2']);
  });

  it('and an injected failure is final for writes', async () => {
    let failing = false;
    const factory = new MemoryStoreFactory(systemEnvironment, new MemoryDisk(), {
      fault: (operation) => (failing && operation === 'write' ? 'EIO' : null),
    });
    const store = await call<Store>((done) => factory.open('s', done));
    failing = true;
    expect(await codeOf(write(store, []))).to.equal('E_DISK');
    failing = false;
    expect(await codeOf(write(store, []))).to.equal('E_DISK');
  });
});
