/** What every state store must do. Each implementation's test is one call. */
import { expect } from 'chai';
import type { StateChange, StateStore } from '../../../meta/store/store.js';

/** `open` gives a store on the same data each time it is called within one test; `reset` begins with nothing. */
export function describeStateStore(name: string, harness: { open: () => StateStore; reset: () => void }): void {
  const load = (store: StateStore): Promise<Map<string, string>> =>
    new Promise((resolve, reject) => store.load((error, rows) => (error === null ? resolve(rows) : reject(error))));
  const write = (store: StateStore, changes: StateChange[]): Promise<void> =>
    new Promise((resolve, reject) => store.write(changes, (error) => (error === null ? resolve() : reject(error))));
  const close = (store: StateStore): Promise<void> =>
    new Promise((resolve, reject) => store.close((error) => (error === null ? resolve() : reject(error))));

  describe(`state store: ${name}`, () => {
    beforeEach(() => harness.reset());

    it('is empty at first', async () => {
      const store = harness.open();
      expect([...(await load(store))]).to.deep.equal([]);
      await close(store);
    });

    it('gives back what was written, after it was opened again', async () => {
      const first = harness.open();
      await load(first);
      await write(first, [
        { key: 'table/1', value: '{"ü":1}' },
        { key: 'ids', value: '7' },
      ]);
      await close(first);
      const second = harness.open();
      expect([...(await load(second))].toSorted()).to.deep.equal([
        ['ids', '7'],
        ['table/1', '{"ü":1}'],
      ]);
      await close(second);
    });

    it('replaces and removes rows', async () => {
      const store = harness.open();
      await load(store);
      await write(store, [
        { key: 'a', value: '1' },
        { key: 'b', value: '1' },
      ]);
      await write(store, [
        { key: 'a', value: '2' },
        { key: 'b', value: null },
        { key: 'c', value: null },
      ]);
      await close(store);
      const again = harness.open();
      expect([...(await load(again))]).to.deep.equal([['a', '2']]);
      await close(again);
    });
  });
}
