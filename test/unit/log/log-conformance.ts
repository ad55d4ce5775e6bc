/** What the mutation log must do on any file system; each file system's test is one line that calls this. */
import { expect } from 'chai';
import type { LogFiles } from '../../../server/log/files.js';
import type { FsyncMode, LogRecord, MutationLog, OpenedLog } from '../../../server/log/log.js';
import { openSegmentLog } from '../../../server/log/segments.js';
import { systemEnvironment } from '../../../shared/environment.js';
import { call, codeOf } from '../storage/store-conformance.js';

export interface LogFixture {
  /** The files as another run of the process sees them. */
  files(): LogFiles;
  remove(): Promise<void>;
}

export const stay = 's1';

export function record(partition: number, decree: number, body = `body ${decree}`, ballot = 1, name = stay): LogRecord {
  return {
    partition,
    stay: name,
    ballot,
    decree,
    committed: Math.max(0, decree - 1),
    body: Buffer.from(body, 'latin1'),
  };
}

export function open(files: LogFiles, segmentBytes = 1 << 20, fsync: FsyncMode = 'always'): Promise<OpenedLog> {
  return call((done) => openSegmentLog({ files, environment: systemEnvironment, fsync, segmentBytes }, done));
}

export const append = (log: MutationLog, what: LogRecord): Promise<void> => call((done) => log.append(what, done));

export async function readAll(log: MutationLog, partition: number, name = stay, from = 0): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  await call<void>((done) => log.read(partition, name, from, (one) => found.push(one) > 0, done));
  return found;
}

export const decrees = (records: LogRecord[]): number[] => records.map(({ decree }) => decree);
export const closeLog = (log: MutationLog): Promise<void> => call((done) => log.close(done));
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

export function logConformance(name: string, create: () => LogFixture): void {
  describe(`mutation log: ${name}`, () => {
    let fixture: LogFixture;
    let log: MutationLog;
    beforeEach(async () => {
      fixture = create();
      ({ log } = await open(fixture.files()));
    });
    afterEach(async () => {
      await closeLog(log);
      await fixture.remove();
    });
    const reopen = async (segmentBytes?: number): Promise<OpenedLog> => {
      await closeLog(log);
      const opened = await open(fixture.files(), segmentBytes);
      log = opened.log;
      return opened;
    };

    for (const fsync of ['always', 'everysec', 'no'] as const) {
      it(`calls back in order and gives back exactly what was appended (fsync ${fsync})`, async () => {
        await closeLog(log);
        ({ log } = await open(fixture.files(), 4096, fsync));
        const order: number[] = [];
        const appended: Promise<void>[] = [];
        const bodies = upTo(300).map((n) =>
          String.fromCharCode(...Array.from({ length: (n * 7) % 300 }, (_, i) => i % 256)),
        );
        for (const [index, body] of bodies.entries()) {
          appended.push(
            call<void>((done) => log.append(record(7, index + 1, body), done)).then(() => void order.push(index)),
          );
          if (index % 50 === 49) await appended.at(-1);
        }
        expect(log.pendingBytes).to.equal(0);
        expect(order).to.deep.equal(bodies.map((_, index) => index));
        const found = await readAll(log, 7);
        expect(found.map(({ body }) => body.latin1Slice())).to.deep.equal(bodies);
        expect(found[41]).to.deep.equal(record(7, 42, bodies[41]));
        expect((await reopen()).recovered).to.deep.equal([
          { partition: 7, stay, ballot: 1, lastDecree: 300, committed: 299, damaged: false },
        ]);
        expect((await readAll(log, 7)).map(({ body }) => body.latin1Slice())).to.deep.equal(bodies);
      });
    }

    it('reads one stay, from a decree on, what was appended just before included, and stops when told', async () => {
      for (const decree of upTo(5)) {
        log.append(record(1, decree), () => undefined);
        log.append(record(2, decree), () => undefined);
        log.append(record(1, decree + 100, 'other', 1, 's2'), () => undefined);
      }
      expect(log.pendingBytes).to.be.greaterThan(0);
      expect(decrees(await readAll(log, 1))).to.deep.equal([1, 2, 3, 4, 5]);
      expect(decrees(await readAll(log, 2, stay, 4))).to.deep.equal([4, 5]);
      expect(decrees(await readAll(log, 1, 's2', 103))).to.deep.equal([103, 104, 105]);
      expect(await readAll(log, 3)).to.deep.equal([]);
      const some: number[] = [];
      await call<void>((done) => log.read(1, stay, 0, (one) => some.push(one.decree) < 2, done));
      expect(some).to.deep.equal([1, 2]);
    });

    it('keeps a decree that comes again under a higher ballot, in order', async () => {
      for (const [decree, ballot] of [
        [1, 1],
        [2, 1],
        [3, 1],
        [2, 2],
        [3, 4],
      ] as const)
        await append(log, record(1, decree, 'b', ballot));
      const { recovered } = await reopen();
      expect(recovered).to.deep.equal([{ partition: 1, stay, ballot: 4, lastDecree: 3, committed: 2, damaged: false }]);
      expect((await readAll(log, 1, stay, 2)).map((one) => [one.decree, one.ballot])).to.deep.equal([
        [2, 1],
        [3, 1],
        [2, 2],
        [3, 4],
      ]);
    });

    it('holds records larger than a segment or a page', async () => {
      await closeLog(log);
      ({ log } = await open(fixture.files(), 4096));
      const large = 'x'.repeat(700_000);
      await Promise.all([append(log, record(1, 1)), append(log, record(1, 2, large)), append(log, record(1, 3))]);
      await append(log, record(1, 4));
      await reopen(4096);
      expect((await readAll(log, 1)).map(({ body }) => body.length)).to.deep.equal([6, large.length, 6, 6]);
    });

    it('removes a segment once every stay in it released or forgot it, the oldest first', async () => {
      await closeLog(log);
      ({ log } = await open(fixture.files(), 400));
      for (const decree of upTo(20)) {
        await append(log, record(1, decree, 'x'.repeat(100)));
        if (decree === 1) await append(log, record(2, 5, 'y', 1, 'old'));
      }
      const { count, pinned } = log.segments();
      expect(count).to.be.greaterThan(5);
      expect(pinned.map(({ partition, stay: of }) => [partition, of])).to.deep.equal([
        [1, stay],
        [2, 'old'],
      ]);
      log.release(1, stay, 12);
      log.release(2, 'old', 4);
      expect(log.segments().count).to.equal(count);
      log.forget(2, 'old');
      const afterForgetting = log.segments();
      expect(afterForgetting.count).to.be.lessThan(count - 3);
      expect(decrees(await readAll(log, 1, stay, 13))).to.deep.equal(upTo(20).slice(12));
      log.release(1, stay, 20);
      expect(log.segments()).to.include({ count: 1 });
      expect(log.segments().pinned).to.deep.equal([]);
      await append(log, record(1, 21));
      expect(decrees(await readAll(log, 1, stay, 21))).to.deep.equal([21]);
    });

    it('pins what it recovered until it is released or forgotten', async () => {
      await append(log, record(1, 1));
      await append(log, record(2, 1));
      await reopen();
      expect(log.segments()).to.deep.include({ count: 2 });
      expect(log.segments().pinned.map(({ partition }) => partition)).to.deep.equal([1, 2]);
      log.release(1, stay, 1);
      log.forget(2, stay);
      expect(log.segments().count).to.equal(1);
      expect((await reopen()).recovered).to.deep.equal([]);
    });

    it('keeps the segments that a reading is at, whatever is released meanwhile', async () => {
      await closeLog(log);
      ({ log } = await open(fixture.files(), 300));
      for (const decree of upTo(10)) await append(log, record(1, decree, 'x'.repeat(100)));
      const found: number[] = [];
      await call<void>((done) =>
        log.read(
          1,
          stay,
          0,
          (one) => {
            log.forget(1, stay);
            return found.push(one.decree) > 0;
          },
          done,
        ),
      );
      expect(found).to.deep.equal(upTo(10));
      expect(log.segments().count).to.equal(1);
    });

    it('syncs what was appended before, and refuses appends when closed', async () => {
      let logged = false;
      log.append(record(1, 1), () => {
        logged = true;
      });
      await call<void>((done) => log.sync(done));
      expect(logged).to.equal(true);
      const closed = log;
      await reopen();
      expect(await codeOf(append(closed, record(1, 2)))).to.equal('E_CLOSED');
      expect(decrees(await readAll(log, 1))).to.deep.equal([1]);
    });
  });
}
