/** Applying committed mutations to the store: batches, what is persisted with them, checkpoints. */
import { expect } from 'chai';
import type { Annotation, Group, KeptResult, SessionChange } from '../../../server/replication/mutation.js';
import { encodeMutation, MutationKind } from '../../../server/replication/mutation.js';
import { Counts } from '../../../server/execution/counts.js';
import { initialKeyspaces } from '../../../server/execution/head.js';
import { NO_SETTINGS } from '../../../server/execution/settings.js';
import { Sessions } from '../../../server/execution/sessions.js';
import { Applier } from '../../../server/partition/applier.js';
import { loadState, type StoredState } from '../../../server/partition/state.js';
import { KeyspaceKeys, toBuffer } from '../../../server/storage/keys.js';
import { MemoryDisk, MemoryStoreFactory } from '../../../server/storage/memory.js';
import type { Store } from '../../../server/storage/store.js';
import { limits } from '../../../shared/limits.js';
import { ManualEnvironment } from '../execution/primary.js';

const [keyspace] = initialKeyspaces() as [string];
const keys = new KeyspaceKeys(keyspace);
const keyOf = (name: string): string => keys.header(5, 0, name);

const writes = (name: string, value: string | null, keysDelta = 0): Group => ({
  slot: 5,
  keyspace,
  keysDelta,
  expiresDelta: 0,
  bytesDelta: 0,
  writes: [{ key: keyOf(name), value: value === null ? null : Buffer.from(value) }],
});

class Bench {
  readonly environment = new ManualEnvironment();
  readonly disk = new MemoryDisk();
  readonly factory = new MemoryStoreFactory(this.environment, this.disk);
  readonly store: Store = this.open(this.factory);
  readonly events: string[] = [];
  readonly applier = new Applier(
    this.environment,
    this.store,
    {
      onApplied: (decree) => void this.events.push(`applied ${decree}`),
      onCheckpoint: (decree) => void this.events.push(`checkpoint ${decree}`),
      onAnnotation: ([name], decree) => void this.events.push(`${name} at ${decree}, x is ${this.get('x')}`),
      fail: (error) => void this.events.push(error.message),
    },
    {
      state: { decree: 0, stay: 'stay-1', ballot: 1, contentBallot: 1, timeMs: 0, table: 1 },
      counts: new Counts(),
      sessions: new Sessions({ persistent: true }),
      keyspaces: initialKeyspaces(),
      settings: NO_SETTINGS,
    },
  );
  private decree = 0;

  open(factory: MemoryStoreFactory): Store {
    let opened: Store | undefined;
    factory.open('partition-1', (_error, store) => {
      opened = store;
    });
    this.environment.settle();
    return opened!;
  }

  push(
    groups: Group[],
    results: KeptResult[] = [],
    annotations: Annotation[] = [],
    sessions: SessionChange[] = [],
  ): this {
    const decree = ++this.decree;
    const envelope = { kind: MutationKind.data, origin: 0, table: 1, partition: 1, timeMs: 100 * decree };
    const body = encodeMutation({ ...envelope, groups, results, annotations, sessions });
    this.applier.push({ decree, ballot: 3, body, decoded: null });
    return this;
  }

  get(name: string): string | null {
    return this.store.getSync(toBuffer(keyOf(name)))?.toString() ?? null;
  }

  /** The delay is over. */
  apply(): this {
    this.environment.fire();
    this.environment.settle();
    return this;
  }

  /** What a process finds that opens the disk after this one died. */
  reopened(loss: 'none' | 'all'): StoredState {
    this.factory.crash(loss);
    const store = this.open(new MemoryStoreFactory(this.environment, this.disk));
    let state: StoredState | undefined;
    loadState(store, (_error, loaded) => {
      state = loaded;
    });
    this.environment.settle();
    return state!;
  }
}

describe('the applier', () => {
  it('waits a little, and writes what gathered as one batch: the newest of each key', () => {
    const bench = new Bench();
    bench
      .push([writes('x', '1', 1)])
      .push([writes('y', '1', 1)])
      .push([writes('x', '2')])
      .push([writes('y', null, -1)]);
    expect(bench.events).to.deep.equal([]);
    bench.apply();
    expect(bench.events).to.deep.equal(['applied 4']);
    expect([bench.get('x'), bench.get('y'), bench.applier.pendingBytes]).to.deep.equal(['2', null, 0]);
  });

  it('does not wait once much has gathered', () => {
    const bench = new Bench();
    bench.push([writes('x', 'v'.repeat(limits.applyBytes))]);
    bench.environment.settle();
    expect(bench.events).to.deep.equal(['applied 1']);
  });

  it('ends a batch after an annotation, which sees the store exactly then', () => {
    const bench = new Bench();
    bench
      .push([writes('x', '1')])
      .push([writes('x', '2')], [], [['checksum', 1]])
      .push([writes('x', '3')]);
    bench.apply();
    expect(bench.events).to.deep.equal(['applied 2', 'checksum at 2, x is 2']);
    bench.apply();
    expect(bench.get('x')).to.equal('3');
  });

  it('persists counts, sessions, decree and time with the rows, so that a crash finds them together', () => {
    const bench = new Bench();
    bench
      .push([writes('x', '1', 1)], [], [], [['open', '7-proxy']])
      .push([writes('y', '1', 1)], [[1, 4, 1, 0, 0, 'kept']], [], [['settle', 1, 88, []]])
      .apply();
    bench.push([writes('z', '1', 1)]);
    const found = bench.reopened('none');
    expect(found.applied).to.deep.equal({
      decree: 2,
      stay: 'stay-1',
      contentBallot: 3,
      ballot: 3,
      timeMs: 200,
      table: 1,
    });
    expect(found.counts.of(keyspace).ofSlot(5)).to.deep.equal({ keys: 2, expires: 0, bytes: 0 });
    const session = found.sessions.get(1);
    expect([session?.boot, session?.fence]).to.deep.equal(['7-proxy', 88]);
    expect(session?.connections.get(4)?.results.get(1)?.value).to.equal('kept');
  });

  it('tells of a checkpoint only what a power failure cannot take back', () => {
    const bench = new Bench();
    bench.push([writes('x', '1', 1)]).apply();
    let done = false;
    bench.applier.checkpoint('stay-2', 9, () => {
      done = true;
    });
    bench.push([writes('y', '1', 1)]);
    bench.environment.settle();
    expect(done).to.equal(true);
    expect(bench.events).to.deep.equal(['applied 1', 'checkpoint 1', 'applied 2']);
    const found = bench.reopened('all');
    expect(found.applied).to.deep.equal({
      decree: 1,
      stay: 'stay-2',
      ballot: 9,
      contentBallot: 3,
      timeMs: 100,
      table: 1,
    });
    expect(found.counts.of(keyspace).keys).to.equal(1);
  });

  it('makes a checkpoint by itself from time to time', () => {
    const bench = new Bench();
    bench.push([writes('x', '1')]).apply();
    bench.environment.nowMs += 60_000;
    bench.push([writes('x', '2')]).apply();
    expect(bench.events).to.deep.equal(['applied 1', 'applied 2', 'checkpoint 2']);
  });

  it('calls back when all that was pushed is applied, at once when it is', () => {
    const bench = new Bench();
    const told: string[] = [];
    bench.applier.whenApplied(() => told.push('nothing to wait for'));
    bench.push([writes('x', '1')]);
    bench.applier.whenApplied(() => told.push('all'));
    expect(told).to.deep.equal(['nothing to wait for']);
    bench.environment.settle();
    expect(told).to.deep.equal(['nothing to wait for', 'all']);
  });

  it('applies nothing while it is paused', () => {
    const bench = new Bench();
    bench.applier.pause(true);
    bench.push([writes('x', '1')]);
    bench.applier.whenApplied(() => undefined);
    bench.environment.settle();
    expect(bench.events).to.deep.equal([]);
    bench.applier.pause(false);
    bench.environment.settle();
    expect(bench.events).to.deep.equal(['applied 1']);
  });

  it('fails at a mutation that it cannot read', () => {
    const bench = new Bench();
    const body = Buffer.alloc(100);
    bench.applier.push({ decree: 1, ballot: 1, body, decoded: null });
    bench.apply();
    expect(bench.events.join()).to.contain('of the unknown kind 0');
  });
});
