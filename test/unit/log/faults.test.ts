/**
 * One scripted run of log and store, as a replica uses them, with one fault at its nth file operation, for every n and
 * every fault; then another run on the same disk. Whatever was acknowledged is there, nothing is half done, errors have
 * a code, and after a failure nothing is acknowledged (8, 20, 22).
 */
import { expect } from 'chai';
import { openSegmentLog } from '../../../server/log/segments.js';
import type { OpenedLog } from '../../../server/log/log.js';
import { VirtualDisk, VirtualFiles } from '../../../server/log/virtual-files.js';
import type { DiskFault } from '../../../server/storage/disk-faults.js';
import { MemoryDisk, MemoryStoreFactory, type Loss } from '../../../server/storage/memory.js';
import type { Store } from '../../../server/storage/store.js';
import { type Environment, systemEnvironment } from '../../../shared/environment.js';
import { OperatingError } from '../../../shared/errors.js';
import { call } from '../storage/store-conformance.js';
import { decrees, readAll, record, stay } from './log-conformance.js';

const RECORDS = 24;
const CHECKPOINT_EVERY = 8;
const faults: Record<string, DiskFault> = {
  EIO: 'EIO',
  ENOSPC: 'ENOSPC',
  'a short write': { shortBytes: 7 },
  'a write of nothing': { shortBytes: 0 },
};

function environmentOf(seed: number): Environment {
  let state = seed;
  return {
    ...systemEnvironment,
    random: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 0x1_0000_0000;
    },
  };
}

interface Outcome {
  /** The highest decree that was acknowledged, and at which a synced store write called back. */
  acknowledged: number;
  checkpoint: number;
  operations: number;
  errors: Error[];
  /** Acknowledgements that came after the first error of the log. */
  late: number;
}

const value = (decree: number): Buffer => Buffer.from(String(decree));
const KEY = Buffer.from('applied');

/** Appends records one after the other, applies each, and now and then makes a checkpoint and releases the log. */
async function run(
  disks: { log: VirtualDisk; stores: MemoryDisk },
  at: number,
  fault: DiskFault,
  seed: number,
  loss: Loss,
): Promise<Outcome> {
  const environment = environmentOf(seed);
  const outcome: Outcome = { acknowledged: 0, checkpoint: 0, operations: 0, errors: [], late: 0 };
  const hook = (): DiskFault | null => (++outcome.operations === at ? fault : null);
  const files = new VirtualFiles(environment, disks.log, { fault: hook });
  const factory = new MemoryStoreFactory(environment, disks.stores, { fault: hook });
  try {
    const { log } = await call<OpenedLog>((done) =>
      openSegmentLog({ files, environment, fsync: 'always', segmentBytes: 600 }, done),
    );
    const store = await call<Store>((done) => factory.open('partition-1', done));
    let failed = false;
    const appended: Promise<void>[] = [];
    for (let decree = 1; decree <= RECORDS; decree++) {
      appended.push(
        call<void>((done) =>
          log.append(record(1, decree, 'x'.repeat(60)), (error) => {
            if (error !== null) failed = true;
            else if (failed) outcome.late++;
            else outcome.acknowledged = decree;
            done(error);
          }),
        ),
      );
      if (decree % 3 !== 0) continue;
      await Promise.all(appended.splice(0));
      const sync = decree % CHECKPOINT_EVERY === 0 || decree % 12 === 0;
      await call<void>((done) => store.write([{ key: KEY, value: value(decree) }], sync, done));
      if (sync) {
        outcome.checkpoint = decree;
        log.release(1, stay, decree);
      }
    }
    await readAll(log, 1);
    await call<void>((done) => log.close(done));
  } catch (error) {
    outcome.errors.push(error as Error);
  }
  files.crash(loss);
  factory.crash(loss);
  return outcome;
}

describe('a fault at every operation of a run', () => {
  for (const [name, fault] of Object.entries(faults)) {
    for (const loss of ['none', 'some', 'all'] as const) {
      it(`${name}, then ${loss === 'none' ? 'the process dies' : `the power fails (${loss})`}: what was acknowledged is there`, async () => {
        const undisturbed = await run({ log: new VirtualDisk(), stores: new MemoryDisk() }, 0, fault, 1, loss);
        expect(undisturbed.errors).to.deep.equal([]);
        expect(undisturbed.acknowledged).to.equal(RECORDS);
        let failures = 0;
        for (let at = 1; at <= undisturbed.operations; at++) {
          const disks = { log: new VirtualDisk(), stores: new MemoryDisk() };
          const where = `at operation ${at}`;
          const outcome = await run(disks, at, fault, at, loss);
          failures += outcome.errors.length;
          for (const error of outcome.errors) expect(error, where).to.be.instanceOf(OperatingError);
          expect(outcome.late, where).to.equal(0);
          const environment = environmentOf(at);
          const { log, recovered, setAside } = await call<OpenedLog>((done) =>
            openSegmentLog(
              { files: new VirtualFiles(environment, disks.log), environment, fsync: 'always', segmentBytes: 600 },
              done,
            ),
          );
          const store = await call<Store>((done) =>
            new MemoryStoreFactory(environment, disks.stores).open('partition-1', done),
          );
          expect(setAside, where).to.deep.equal([]);
          const applied = Number(store.getSync(KEY)?.toString() ?? 0);
          const replayed = decrees(await readAll(log, 1, stay, applied + 1));
          const last = recovered[0]?.lastDecree ?? 0;
          expect(applied, where).to.be.at.least(outcome.checkpoint);
          expect(replayed, where).to.deep.equal(replayed.map((_, index) => applied + 1 + index));
          expect(Math.max(applied, last), where).to.be.at.least(outcome.acknowledged);
        }
        if (typeof fault === 'string')
          expect(failures, 'the faults were met').to.be.greaterThan(undisturbed.operations / 2);
      }).timeout(60_000);
    }
  }
});
