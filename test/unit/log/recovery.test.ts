/** What the log makes of crashes and damage, on virtual files. */
import { expect } from 'chai';
import { segmentName } from '../../../server/log/segment-format.js';
import { openSegmentLog } from '../../../server/log/segments.js';
import type { MutationLog, OpenedLog } from '../../../server/log/log.js';
import { VirtualDisk, VirtualFiles } from '../../../server/log/virtual-files.js';
import type { DiskHooks } from '../../../server/storage/disk-faults.js';
import type { Loss } from '../../../server/storage/memory.js';
import { type Environment, systemEnvironment } from '../../../shared/environment.js';
import { call, codeOf } from '../storage/store-conformance.js';
import { append, closeLog, decrees, logConformance, open, readAll, record, stay } from './log-conformance.js';

logConformance('virtual files', () => {
  const disk = new VirtualDisk();
  return { files: () => new VirtualFiles(systemEnvironment, disk), remove: async () => undefined };
});

/** A small generator, so that a failing seed can be run again. */
function seeded(seed: number): Environment {
  let state = seed;
  return {
    ...systemEnvironment,
    random: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 0x1_0000_0000;
    },
  };
}

const segments = (disk: VirtualDisk): string[] => [...disk.names.keys()].filter((name) => name.endsWith('.log')).sort();

describe('mutation log: recovery', () => {
  let disk: VirtualDisk;
  const start = (hooks: DiskHooks = {}): VirtualFiles => new VirtualFiles(systemEnvironment, disk, hooks);
  /** One synced append after the other. */
  const fill = async (log: MutationLog, from: number, to: number, body = 'x'.repeat(50)): Promise<void> => {
    for (let decree = from; decree <= to; decree++) await append(log, record(1, decree, body));
  };
  const opened: MutationLog[] = [];
  const reopened = async (segmentBytes?: number): Promise<OpenedLog> => {
    const result = await open(start(), segmentBytes);
    opened.push(result.log);
    return result;
  };
  beforeEach(() => {
    disk = new VirtualDisk();
  });

  it('cuts a tail torn at any byte, and loses no record before it', async () => {
    const { log } = await open(start());
    // One write for all, so that none of them knows any other to be synced.
    await Promise.all([1, 2, 3, 4].map((decree) => append(log, record(1, decree, 'abc'))));
    const name = segments(disk)[0]!;
    const whole = Buffer.from(disk.read(name));
    const perRecord = 41 + stay.length + 3;
    const recordsAt = whole.length - 4 * perRecord;
    for (let cut = 0; cut <= whole.length; cut++) {
      for (const filler of [0, 200]) {
        disk = new VirtualDisk();
        disk.put(name, Buffer.concat([whole.subarray(0, cut), Buffer.alloc(filler)]));
        const { log: again, recovered, setAside } = await reopened();
        const expected = cut < recordsAt ? 0 : Math.floor((cut - recordsAt) / perRecord);
        expect(decrees(await readAll(again, 1))).to.deep.equal([1, 2, 3, 4].slice(0, expected), `cut at ${cut}`);
        expect(recovered.map(({ lastDecree, damaged }) => [lastDecree, damaged])).to.deep.equal(
          expected === 0 ? [] : [[expected, false]],
        );
        expect(setAside).to.deep.equal([]);
        // The cut is on the disk: the next run finds nothing to repair, and goes on behind it.
        await append(again, record(1, 9));
        await closeLog(again);
        const { log: third } = await reopened();
        expect(decrees(await readAll(third, 1))).to.deep.equal([...[1, 2, 3, 4].slice(0, expected), 9]);
      }
    }
  });

  it('takes any flipped byte before the synced offset for corruption: sets the segment aside and doubts every stay', async () => {
    const { log } = await open(start());
    await append(log, record(2, 1, 'abc', 1, 'other'));
    await fill(log, 1, 3, 'abc');
    const name = segments(disk)[0]!;
    const whole = Buffer.from(disk.read(name));
    const lastRecordAt = whole.length - (41 + stay.length + 3);
    const headerBytes = whole.length - 3 * (41 + stay.length + 3) - (41 + 'other'.length + 3);
    for (let at = headerBytes; at < lastRecordAt; at++) {
      disk = new VirtualDisk();
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x10;
      disk.put(name, bytes);
      const { recovered, setAside, log: again } = await reopened();
      expect(setAside, `flipped at ${at}`).to.deep.equal([
        `${name.slice(0, 16)}.damaged-before-${'2'.padStart(16, '0')}`,
      ]);
      expect(disk.read(setAside[0]!).equals(bytes)).to.equal(true);
      expect(recovered.every(({ damaged }) => damaged)).to.equal(true);
      // A crash before the stays have learned again changes nothing; a stay that begins now is sound.
      await append(again, record(1, 50, 'abc', 2, 'new'));
      await closeLog(again);
      const third = await reopened();
      expect(third.setAside).to.deep.equal(setAside);
      expect(third.recovered).to.deep.equal([
        { partition: 1, stay: 'new', ballot: 2, lastDecree: 50, committed: 49, damaged: false },
      ]);
    }
  });

  it('doubts stays of other segments too, in later runs as well, and keeps their records', async () => {
    const { log } = await open(start(), 300);
    await fill(log, 1, 12);
    const [, second] = segments(disk);
    const bytes = Buffer.from(disk.read(second!));
    bytes[60]! ^= 1;
    disk.put(second!, bytes);
    for (let run = 0; run < 2; run++) {
      const { log: again, recovered, setAside } = await reopened(300);
      expect(setAside).to.have.length(1);
      expect(recovered).to.deep.equal([
        { partition: 1, stay, ballot: 1, lastDecree: 12, committed: 11, damaged: true },
      ]);
      expect(decrees(await readAll(again, 1))).to.include.members([1, 12]);
    }
  });

  it('reports damage until it is acknowledged, and keeps the damaged file', async () => {
    const { log } = await open(start(), 300);
    await fill(log, 1, 12);
    await closeLog(log);
    const name = segments(disk)[2]!;
    const bytes = Buffer.from(disk.read(name));
    bytes[60]! ^= 1;
    disk.put(name, bytes);
    const first = await reopened(300);
    expect(first.setAside).to.have.length(1);
    await closeLog(first.log);
    const second = await reopened(300);
    expect(second.setAside).to.deep.equal(first.setAside);
    await call<void>((done) => second.acknowledgeDamage(done));
    second.log.forget(1, stay);
    await append(second.log, record(1, 1, 'x', 2, 'new'));
    await closeLog(second.log);
    const third = await reopened(300);
    expect(third.setAside).to.deep.equal([]);
    expect(third.recovered.map(({ stay: of, damaged }) => [of, damaged])).to.deep.equal([['new', false]]);
    expect(disk.read(`${name.slice(0, 16)}.damaged`).equals(bytes)).to.equal(true);
  });

  it('takes a missing or emptied segment between others for corruption', async () => {
    for (const how of ['missing', 'empty', 'shorter by a record'] as const) {
      disk = new VirtualDisk();
      const { log } = await open(start(), 300);
      await fill(log, 1, 12);
      const name = segments(disk)[1]!;
      const bytes = Buffer.from(disk.read(name));
      if (how === 'missing') {
        disk.names.delete(name);
        disk.syncNames();
      } else {
        disk.put(name, how === 'empty' ? Buffer.alloc(0) : bytes.subarray(0, bytes.length - (41 + stay.length + 50)));
      }
      for (let run = 0; run < 2; run++) {
        const { recovered, setAside } = await reopened(300);
        expect(setAside, how).to.have.length(1);
        expect(recovered.map(({ damaged }) => damaged)).to.deep.equal([true]);
      }
    }
  });

  it('knows that its oldest or newest segments are lost, from the range in the directory (20)', async () => {
    for (const lost of ['oldest', 'newest', 'all'] as const) {
      disk = new VirtualDisk();
      const { log } = await open(start(), 300);
      await fill(log, 1, 12);
      await closeLog(log);
      const names = segments(disk);
      for (const name of lost === 'oldest' ? names.slice(0, 2) : lost === 'newest' ? names.slice(-1) : names)
        disk.names.delete(name);
      disk.syncNames();
      for (let run = 0; run < 2; run++) {
        const { recovered, setAside, log: again } = await reopened(300);
        expect(setAside.map((name) => name.slice(0, 16)).sort()).to.deep.equal(
          (lost === 'oldest' ? names.slice(0, 2) : lost === 'newest' ? names.slice(-1) : names).map((name) =>
            name.slice(0, 16),
          ),
        );
        // A stay that began after the damage was found is sound; those from before are not.
        expect(recovered.map(({ stay: of, damaged }) => [of, damaged]).sort()).to.deep.equal([
          ...(run === 1 ? [['new', false]] : []),
          ...(lost === 'all' ? [] : [[stay, true]]),
        ]);
        await append(again, record(1, 50 + run, 'abc', 2, 'new'));
        await closeLog(again);
      }
    }
  });

  it('knows that all of it is lost where there are replicas, even with nothing left in the directory (20)', async () => {
    const openExpected = (): Promise<OpenedLog> =>
      call((done) =>
        openSegmentLog({ files: start(), environment: systemEnvironment, fsync: 'always', expected: true }, done),
      );
    for (let run = 0; run < 2; run++) {
      const { setAside, log } = await openExpected();
      expect(setAside).to.have.length(1);
      await closeLog(log);
    }
    const { log, acknowledgeDamage } = await openExpected();
    await call<void>((done) => acknowledgeDamage(done));
    await closeLog(log);
    const { setAside, log: again } = await openExpected();
    expect(setAside).to.deep.equal([]);
    await closeLog(again);
  });

  it('takes no removed segment for a lost one, whenever the power fails (20)', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      disk = new VirtualDisk();
      const environment = seeded(seed);
      const files = new VirtualFiles(environment, disk, {
        delayMs: (operation) => (operation === 'remove' || operation === 'rename' ? environment.random() * 2 : 0),
      });
      const { log } = await open(files, 300);
      const steps = 5 + (seed % 12);
      for (let decree = 1; decree <= steps; decree++) {
        await append(log, record(1, decree, 'x'.repeat(80)));
        if (environment.random() < 0.4) log.release(1, stay, decree - 1);
      }
      files.crash(environment.random() < 0.5 ? 'some' : 'all');
      const { setAside, recovered, log: again } = await reopened(300);
      expect(setAside, `seed ${seed}`).to.deep.equal([]);
      expect(recovered[0]?.lastDecree).to.equal(steps);
      again.release(1, stay, steps);
      await append(again, record(1, steps + 1));
      await closeLog(again);
      const third = await reopened(300);
      expect(third.setAside, `seed ${seed}`).to.deep.equal([]);
      expect(decrees(await readAll(third.log, 1, stay, steps + 1))).to.deep.equal([steps + 1]);
      await closeLog(third.log);
    }
  });

  it('writes again what a failed sync may have left in the cache only (8)', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      disk = new VirtualDisk();
      let failing = false;
      const files = new VirtualFiles(seeded(seed), disk, {
        fault: (operation) => (failing && operation === 'sync' ? 'EIO' : null),
      });
      const { log } = await open(files);
      await fill(log, 1, 5);
      failing = true;
      expect(await codeOf(append(log, record(1, 6, 'y'.repeat(9_000))))).to.equal('E_DISK');
      files.crash('none');
      const second = new VirtualFiles(seeded(seed), disk);
      const { log: again, recovered } = await open(second);
      // What the next run found it relies on, so no later power failure may take it away.
      const found = recovered[0]!.lastDecree;
      expect(found).to.be.at.least(5);
      await append(again, record(2, 1));
      second.crash('all');
      const { log: third, recovered: afterwards, setAside } = await reopened();
      expect(setAside, `seed ${seed}`).to.deep.equal([]);
      expect(afterwards.find(({ partition }) => partition === 1)?.lastDecree).to.equal(found);
      await closeLog(third);
    }
  });

  it('takes a part of the disk that cannot be read for damage: the process starts, and the replicas learn again (20)', async () => {
    const { log } = await open(start(), 300);
    await fill(log, 1, 12);
    await closeLog(log);
    const bad = segments(disk)[1]!;
    const files = start({ fault: (operation, name) => (operation === 'read' && name === bad ? 'EIO' : null) });
    const { setAside, recovered, log: again } = await open(files, 300);
    expect(setAside.map((name) => name.slice(0, 16))).to.deep.equal([bad.slice(0, 16)]);
    expect(recovered.map(({ damaged }) => damaged)).to.deep.equal([true]);
    await closeLog(again);
  });

  it('drops the segments behind a lost tail', async () => {
    let stuck = false;
    // Syncs that never end: no record knows of anything synced.
    const environment: Environment = { ...systemEnvironment, after: () => ({ cancel: () => undefined }) };
    const files = new VirtualFiles(environment, disk, {
      delayMs: (operation) => (stuck && operation.startsWith('sync') ? 1 : 0),
    });
    const { log } = await open(files, 300, 'no');
    stuck = true;
    await fill(log, 1, 12);
    const names = segments(disk);
    expect(names.length).to.be.greaterThan(3);
    const bytes = Buffer.from(disk.read(names[1]!));
    bytes[bytes.length - 1]! ^= 1;
    disk.put(names[1]!, bytes);
    for (const name of names) disk.put(name, disk.read(name));
    const { log: again, recovered, setAside } = await reopened(300);
    expect(setAside).to.deep.equal([]);
    const left = decrees(await readAll(again, 1));
    expect(left).to.deep.equal(left.map((_, index) => index + 1));
    expect(left.length).to.be.lessThan(7);
    expect(recovered).to.deep.equal([
      { partition: 1, stay, ballot: 1, lastDecree: left.length, committed: left.length - 1, damaged: false },
    ]);
    expect(segments(disk)).to.deep.equal(names.slice(0, 3));
  });

  it('survives power failures at random moments: acknowledged records stay, in order, without gaps', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      disk = new VirtualDisk();
      let next = 1;
      let acknowledged = 0;
      for (let run = 0; run < 5; run++) {
        const environment = seeded(seed * 100 + run);
        const fsync = seed % 2 === 0 ? ('always' as const) : ('everysec' as const);
        const files = new VirtualFiles(environment, disk, {
          fault: (operation, _name, bytes) =>
            operation === 'write' ? { shortBytes: 1 + Math.floor(environment.random() * bytes) } : null,
        });
        const { log, recovered, setAside } = await call<OpenedLog>((done) =>
          openSegmentLog({ files, environment, fsync, segmentBytes: 2000 }, done),
        );
        expect(setAside, `seed ${seed}`).to.deep.equal([]);
        const found = decrees(await readAll(log, 1));
        expect(found).to.deep.equal(
          found.map((_, index) => index + 1),
          `seed ${seed}`,
        );
        expect(recovered[0]?.lastDecree ?? 0).to.equal(found.length);
        if (fsync === 'always') expect(found.length).to.be.at.least(acknowledged, `seed ${seed} run ${run}`);
        next = found.length + 1;
        const steps = Math.floor(environment.random() * 60);
        for (let step = 0; step < steps; step++) {
          const decree = next++;
          log.append(record(1, decree, 'x'.repeat(Math.floor(environment.random() * 300))), (error) => {
            if (error === null) acknowledged = decree;
          });
          if (environment.random() < 0.4) await new Promise<void>((resolve) => environment.defer(resolve));
        }
        const losses: Loss[] = ['none', 'all', 'some', 'some'];
        files.crash(losses[Math.floor(environment.random() * losses.length)]!);
      }
    }
  });

  it('keeps everything that was written when only the process dies', async () => {
    const files = start();
    const { log } = await open(files, 500, 'no');
    await fill(log, 1, 20);
    files.crash('none');
    const { log: again } = await reopened();
    expect(decrees(await readAll(again, 1))).to.have.length(20);
  });

  it('refuses segments of a newer version instead of setting them aside', async () => {
    const { encodeSegmentHeader } = await import('../../../server/log/segment-format.js');
    const { crc32 } = await import('node:zlib');
    const header = encodeSegmentHeader({ number: 1, salt: 1, previousBytes: 0 });
    header.writeUInt32BE(2, 12);
    header.writeUInt32BE(crc32(header.subarray(0, header.length - 4)), header.length - 4);
    disk.put(segmentName(1), header);
    expect(await codeOf(open(start()))).to.equal('E_CONFIG');
    expect(segments(disk)).to.deep.equal([segmentName(1)]);
  });
});

describe('mutation log: a failing disk', () => {
  let disk: VirtualDisk;
  beforeEach(() => {
    disk = new VirtualDisk();
  });

  it('completes short writes', async () => {
    const { log } = await open(
      new VirtualFiles(systemEnvironment, disk, {
        fault: (operation) => (operation === 'write' ? { shortBytes: 3 } : null),
      }),
    );
    for (let decree = 1; decree <= 5; decree++) await append(log, record(1, decree));
    expect(decrees(await readAll(log, 1))).to.deep.equal([1, 2, 3, 4, 5]);
  });

  for (const operation of ['write', 'sync', 'a write that takes nothing', 'a new segment'] as const) {
    it(`fails for good when ${operation} fails`, async () => {
      let failing = false;
      const { log } = await open(
        new VirtualFiles(systemEnvironment, disk, {
          fault: (what) => {
            if (!failing) return null;
            if (operation === 'a write that takes nothing') return what === 'write' ? { shortBytes: 0 } : null;
            return what === (operation === 'a new segment' ? 'create' : operation) ? 'ENOSPC' : null;
          },
        }),
        200,
      );
      await append(log, record(1, 1, 'x'.repeat(100)));
      failing = true;
      const results = await Promise.all(
        [2, 3].map((decree) => codeOf(append(log, record(1, decree, 'x'.repeat(100))))),
      );
      expect(results).to.deep.equal(['E_DISK', 'E_DISK']);
      failing = false;
      expect(await codeOf(append(log, record(1, 4)))).to.equal('E_DISK');
      expect(await codeOf(call<void>((done) => log.sync(done)))).to.equal('E_DISK');
      expect(log.pendingBytes).to.equal(0);
      await closeLog(log);
    });
  }

  it('fails in mode everysec when the sync in the background does', async () => {
    const timers: (() => void)[] = [];
    const environment: Environment = {
      ...systemEnvironment,
      after: (_, run) => {
        timers.push(run);
        return { cancel: () => undefined };
      },
    };
    let failing = false;
    let syncs = 0;
    const files = new VirtualFiles(systemEnvironment, disk, {
      fault: (what) => {
        if (what === 'sync') syncs++;
        return failing && what === 'sync' ? 'EIO' : null;
      },
    });
    const { log } = await call<OpenedLog>((done) => openSegmentLog({ files, environment, fsync: 'everysec' }, done));
    syncs = 0;
    await append(log, record(1, 1));
    await append(log, record(1, 2));
    expect([syncs, timers.length]).to.deep.equal([0, 1]);
    timers.shift()!();
    await call<void>((done) => log.sync(done));
    await append(log, record(1, 3));
    expect(timers.length).to.equal(1);
    failing = true;
    timers.shift()!();
    expect(await codeOf(call<void>((done) => log.sync(done)))).to.equal('E_DISK');
    expect(await codeOf(append(log, record(1, 4)))).to.equal('E_DISK');
  });
});
