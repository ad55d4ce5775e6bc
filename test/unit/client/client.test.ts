import { expect } from 'chai';
import { TulparClient } from '../../../shared/client/client.js';
import type { TulparTable } from '../../../shared/client/table.js';
import type { Environment } from '../../../shared/environment.js';
import { ClientError, type OperatingError } from '../../../shared/errors.js';
import * as operations from '../../../shared/operations/codes.js';
import { Check } from '../../../shared/operations/fields.js';
import { Status } from '../../../shared/wire/messages.js';
import { FakeRouter } from './fake-router.js';

/** Timers that fire when the test says so. */
class ManualEnvironment implements Environment {
  readonly timers = new Set<() => void>();
  monotonicMs = (): number => 0;
  wallMs = (): number => 0;
  random = (): number => 0;
  defer = (run: () => void): void => queueMicrotask(run);
  after(_delayMs: number, run: () => void): { cancel(): void } {
    this.timers.add(run);
    return { cancel: () => void this.timers.delete(run) };
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was expected to be rejected');
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the native client', () => {
  let environment: ManualEnvironment;
  let router: FakeRouter;
  let client: TulparClient;
  let table: TulparTable;

  beforeEach(() => {
    environment = new ManualEnvironment();
    router = new FakeRouter();
    client = new TulparClient(environment, router);
    router.create('users', 4);
    table = client.table('users');
  });

  it('sets, gets and removes one field and several', async () => {
    expect(await table.set('user:1', 'name', 'Ada')).to.equal(true);
    expect(await table.set('user:1', 'name', Buffer.from('Grace'))).to.equal(false);
    expect(String(await table.get('user:1', 'name'))).to.equal('Grace');
    expect(await table.get('user:1', 'age')).to.equal(null);
    expect(
      await table.multiSet('user:1', [
        { sortKey: 'age', value: '36' },
        { sortKey: 'name', value: 'Ada' },
      ]),
    ).to.equal(1);
    expect((await table.multiGet('user:1', ['age', 'none', 'name'])).map((value) => value?.toString())).to.deep.equal([
      '36',
      undefined,
      'Ada',
    ]);
    expect(await table.sortKeyCount('user:1')).to.equal(2);
    expect(await table.del('user:1', 'age')).to.equal(true);
    expect(await table.del('user:1', 'age')).to.equal(false);
    expect(await table.multiDel('user:1', ['name', 'age'])).to.equal(1);
  });

  it('counts and tells times to live', async () => {
    expect(await table.incr('hits', 'today', 5, { ttlSeconds: 60 })).to.equal(5);
    expect(await table.incr('hits', 'today')).to.equal(6);
    expect(await table.ttl('hits', 'today')).to.deep.equal({ ttlMs: 60_000 });
    await table.set('hits', 'ever', '1');
    expect(await table.ttl('hits', 'ever')).to.deep.equal({ ttlMs: null });
    expect(await table.ttl('hits', 'never')).to.equal(null);
    expect(await table.incr('hits', 'big', 2n ** 62n)).to.equal(2n ** 62n);
  });

  it('sets a field only if the check holds', async () => {
    const lock = { check: Check.absent, checkSortKey: 'owner', value: 'me', ttlMs: 5_000 } as const;
    expect(await table.checkAndSet('lock', lock)).to.deep.equal({ done: true, current: null });
    expect(await table.checkAndSet('lock', { ...lock, value: 'you' })).to.deep.equal({
      done: false,
      current: Buffer.from('me'),
    });
    const release = { check: Check.equal, checkSortKey: 'owner', operand: 'me', value: null } as const;
    expect((await table.checkAndSet('lock', release)).done).to.equal(true);
    expect(await table.sortKeyCount('lock')).to.equal(0);
  });

  it('iterates over the sort keys of a hash key in order, page by page', async () => {
    const fields = Array.from({ length: 250 }, (_, index) => ({ sortKey: String(1000 + index), value: String(index) }));
    await table.multiSet('row', fields);
    const seen = async (options: Parameters<TulparTable['hashScan']>[1]): Promise<string[]> =>
      (await collect(table.hashScan('row', options))).map(({ sortKey }) => sortKey.toString());
    const names = fields.map(({ sortKey }) => sortKey);
    expect(await seen({ pageSize: 7 })).to.deep.equal(names);
    expect(await seen({ pageSize: 7, reverse: true })).to.deep.equal(names.toReversed());
    expect(await seen({ from: '1010', to: '1013' })).to.deep.equal(['1010', '1011', '1012']);
    expect(await collect(table.hashScan('absent'))).to.deep.equal([]);
  });

  it('iterates over everything in all partitions exactly once', async () => {
    const expected: string[] = [];
    for (let row = 0; row < 40; row++) {
      const fields = Array.from({ length: row === 3 ? 90 : 2 }, (_, index) => ({ sortKey: `s${index}`, value: 'v' }));
      await table.multiSet(`row:${row}`, fields);
      for (const { sortKey } of fields) expected.push(`row:${row}/${sortKey}`);
    }
    const met = (await collect(table.fullScan({ pageSize: 10 }))).map(
      ({ hashKey, sortKey }) => `${String(hashKey)}/${String(sortKey)}`,
    );
    expect(met.sort()).to.deep.equal(expected.sort());
  });

  it('tells apart what was refused, what was not executed and what may have been', async () => {
    router.nextOutcome = { status: Status.clientError, value: 'WRONGTYPE no' };
    expect(await rejection(table.get('k', 's')))
      .to.be.instanceOf(ClientError)
      .with.property('message', 'WRONGTYPE no');
    router.nextOutcome = { status: Status.retry, value: 'no primary' };
    const notExecuted = (await rejection(table.get('k', 's'))) as OperatingError;
    expect([notExecuted.code, notExecuted.retry]).to.deep.equal(['E_NO_PRIMARY', true]);
    router.nextOutcome = { status: Status.unknown, value: 'lost' };
    const unknown = (await rejection(table.set('k', 's', 'v'))) as OperatingError;
    expect([unknown.code, unknown.retry]).to.deep.equal(['E_UNKNOWN', false]);
  });

  it('refuses impossible arguments before anything is sent', async () => {
    for (const ttl of [{ ttlMs: 0 }, { ttlMs: -1 }, { ttlSeconds: Number.NaN }, { ttlMs: 1, ttlSeconds: 1 }]) {
      expect(await rejection(table.set('k', 's', 'v', ttl))).to.have.property('code', 'E_ARGUMENT');
    }
    expect(await rejection(table.incr('k', 's', 1.5))).to.have.property('code', 'E_ARGUMENT');
    expect(await rejection(collect(table.hashScan('k', { pageSize: 0 })))).to.have.property('code', 'E_ARGUMENT');
    expect(router.submitted).to.deep.equal([]);
  });

  it('waits for a table that meta has not told of yet, up to its deadline', async () => {
    const late = client.table('late');
    const first = late.set('k', 's', 'v');
    const second = late.get('k', 's');
    expect(router.submitted).to.deep.equal([]);
    router.create('late', 1);
    client.onView();
    expect(await first).to.equal(true);
    expect(String(await second)).to.equal('v');
    const never = rejection(client.table('never').get('k', 's'));
    expect(environment.timers.size).to.equal(1);
    for (const run of environment.timers) run();
    expect(await never).to.have.property('code', 'E_NO_PRIMARY');
  });

  it('holds back while the router is congested, and keeps the order', async () => {
    router.connection.congestedBy = 1;
    const writes = ['1', '2', '3'].map((value) => table.set('k', 's', value));
    expect(router.submitted).to.deep.equal([]);
    router.connection.congestedBy = 0;
    router.connection.onDrain();
    expect(await Promise.all(writes)).to.deep.equal([true, false, false]);
    expect(String(await table.get('k', 's'))).to.equal('3');
    expect(router.submitted[0]?.[0]).to.equal(operations.Code.fieldSet);
  });

  it('rejects what waits and what comes after it is closed', async () => {
    router.connection.congestedBy = 1;
    const waiting = rejection(table.get('k', 's'));
    const unrouted = rejection(client.table('never').get('k', 's'));
    await client.close();
    await client.close();
    for (const error of [await waiting, await unrouted, await rejection(table.get('k', 's'))]) {
      expect(error).to.have.property('code', 'E_CLOSED');
    }
    expect([router.stopped, router.released, environment.timers.size]).to.deep.equal([true, true, 0]);
  });
});
