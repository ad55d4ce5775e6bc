import { expect } from 'chai';
import { executors } from '../../../server/rows/index.js';
import { slotOfCursor } from '../../../shared/commands/scan.js';
import { commands } from '../../../shared/commands/index.js';
import type { WholeCommand } from '../../../shared/commands/command.js';
import { ClientError } from '../../../shared/errors.js';
import { globMatches } from '../../../shared/glob.js';
import { limits } from '../../../shared/limits.js';
import * as operations from '../../../shared/operations/codes.js';
import { FakePartition } from './fake-view.js';
import { OnePartition } from './one-partition.js';

const bytes = (text: string): Buffer => Buffer.from(text);

/** Every key that one whole SCAN meets, how often, with something done between its steps. */
function scanAll(
  ours: OnePartition,
  options: readonly string[],
  between: (step: number) => void = () => undefined,
): Map<string, number> {
  const met = new Map<string, number>();
  let cursor = '0';
  let step = 0;
  do {
    const [next, keys] = ours.reply(['SCAN', cursor, ...options]) as [string, Buffer[]];
    for (const key of keys) met.set(key.toString(), (met.get(key.toString()) ?? 0) + 1);
    between(step++);
    cursor = next;
  } while (cursor !== '0');
  return met;
}

describe('SCAN', () => {
  let ours: OnePartition;
  const names = Array.from({ length: 300 }, (_, index) => `key:${index}`);

  beforeEach(() => {
    ours = new OnePartition();
    for (const name of names) ours.reply(['SET', name, 'v']);
  });

  for (const count of ['1', '7', '1000']) {
    it(`meets every key exactly once with COUNT ${count}`, () => {
      const met = scanAll(ours, ['COUNT', count]);
      expect([...met.keys()].sort()).to.deep.equal([...names].sort());
      expect(Math.max(...met.values())).to.equal(1);
    });
  }

  it('meets every key that stays, while others come and go', () => {
    const met = scanAll(ours, [], (step) => {
      ours.reply(['SET', `new:${step}`, 'v']);
      ours.reply(['DEL', `new:${step - 5}`]);
    });
    expect([...met.keys()]).to.include.members(names);
  });

  it('returns what matches only, and goes on all the same', () => {
    const met = scanAll(ours, ['MATCH', 'key:1?']);
    expect([...met.keys()].sort()).to.deep.equal(names.filter((name) => /^key:1.$/.test(name)).sort());
  });

  it('sees no expired key', () => {
    ours.reply(['PEXPIRE', 'key:0', '10']);
    ours.partition.nowMs += 10;
    expect(scanAll(ours, []).has('key:0')).to.equal(false);
  });

  it('goes through partitions in the order of their slots, empty ones in the same call', () => {
    const left = new FakePartition();
    const right = new FakePartition();
    left.slots = { from: 0, to: 8_191 };
    right.slots = { from: 8_192, to: 16_383 };
    right.execute(operations.set(bytes('foo'), bytes('v'))); // slot 12182
    const first = left.execute(operations.scan(0, 10, null, null)) as [number, Buffer[], number];
    expect(slotOfCursor(first[0])).to.equal(8_192);
    expect(first[2]).to.equal(0);
    expect(right.execute(operations.scan(first[0], 10, null, null))).to.deep.equal([0, [bytes('foo')], 1]);
    // A cursor from before a split, behind or before what the partition now has.
    expect(left.execute(operations.scan(16_000 * 2 ** 32, 10, null, null))).to.deep.equal([0, [], 0]);
    expect(right.execute(operations.scan(5 * 2 ** 32, 10, null, null))).to.deep.equal([0, [bytes('foo')], 1]);
  });
});

describe('commands on whole databases', () => {
  const context = { resp: 2, db: 0, databases: limits.databases } as const;
  const merge = (name: string, results: Parameters<WholeCommand['merge']>[0]): unknown =>
    (commands.get(name) as WholeCommand).merge(results, [], context);

  it('DBSIZE adds up the partitions', () => {
    expect(
      merge('dbsize', [
        [
          [0, 3, 1],
          [2, 9, 0],
        ],
        [],
        [[0, 4, 0]],
      ]),
    ).to.equal(7);
    expect(merge('dbsize', [[], []])).to.equal(0);
  });

  it('RANDOMKEY chooses among partitions by how many keys they have', () => {
    const [a, b] = [bytes('a'), bytes('b')];
    expect(
      merge('randomkey', [
        [a, 1, 0.2],
        [b, 9, 0.9],
      ]),
    ).to.equal(b);
    expect(
      merge('randomkey', [
        [a, 9, 0.2],
        [b, 1, 0.9],
      ]),
    ).to.equal(a);
    expect(
      merge('randomkey', [
        [null, 0, 0.2],
        [b, 1, 0.9],
      ]),
    ).to.equal(b);
    expect(
      merge('randomkey', [
        [null, 0, 0.2],
        [null, 0, 0.9],
      ]),
    ).to.equal(null);
  });

  it('the digest of a database does not depend on order, but on keys, values and databases', () => {
    const digest = (fill: (partition: FakePartition) => void): string => {
      const partition = new FakePartition();
      fill(partition);
      return (partition.execute(operations.digest()) as Buffer).toString('hex');
    };
    const set = (partition: FakePartition, name: string, value: string, db = 0): void =>
      void partition.execute(operations.set(bytes(name), bytes(value)), db);
    const one = digest((p) => {
      set(p, 'a', '1');
      set(p, 'b', '2');
    });
    expect(
      digest((p) => {
        set(p, 'b', '2');
        set(p, 'a', '1');
      }),
    ).to.equal(one);
    expect(
      digest((p) => {
        set(p, 'a', '2');
        set(p, 'b', '1');
      }),
    ).to.not.equal(one);
    expect(
      digest((p) => {
        set(p, 'a', '1');
        set(p, 'b', '2', 1);
      }),
    ).to.not.equal(one);
    expect(digest(() => undefined)).to.match(/^0{40}$/);
  });
});

describe('a malformed operation', () => {
  it('is refused by every executor without harm', () => {
    const partition = new FakePartition();
    for (const [code, executor] of executors.entries()) {
      if (executor === undefined) continue;
      const args = Array.from({ length: 7 }, () => []);
      // They need nothing, or what happens to come first here.
      const satisfied: readonly number[] = [
        operations.Code.activeExpiry,
        operations.Code.memory,
        operations.Code.statistics,
        operations.Code.resetStatistics,
        operations.Code.writesSynced,
        operations.Code.randomKey,
        operations.Code.counts,
        operations.Code.flush,
        operations.Code.flushAll,
        operations.Code.digest,
        operations.Code.transaction,
        operations.Code.growingTransaction,
        operations.Code.readTransaction,
        operations.Code.flushScripts,
        operations.Code.endScript,
        operations.Code.scriptStatus,
        operations.Code.libraries,
        operations.Code.notifications,
      ];
      if (satisfied.includes(code)) continue;
      expect(() => partition.execute([code, ...args]), String(code)).to.throw(ClientError, /^ERR malformed operation/);
    }
  });
});

describe('a glob pattern', () => {
  it('of many stars takes time proportional to pattern and text, not exponential', () => {
    const pattern = bytes(`${'*a'.repeat(2_000)}*b`);
    expect(globMatches(pattern, Buffer.alloc(5_000, 'a'))).to.equal(false);
  });

  it('ignores the case of letters when asked', () => {
    expect(globMatches(bytes('MAXMEM*'), bytes('maxmemory'))).to.equal(false);
    expect(globMatches(bytes('MAXMEM*'), bytes('maxmemory'), true)).to.equal(true);
    expect(globMatches(bytes('[M-P]?'), bytes('o1'), true)).to.equal(true);
  });
});
