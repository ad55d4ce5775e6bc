/** LevelDB's own logs after a power failure: made by a real store, then damaged. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import { DiskQueue } from '../../../server/storage/disk-queue.js';
import { openLevelStore } from '../../../server/storage/level.js';
import { crc32c, eachRecord, mendLogs, syncOlderLogs } from '../../../server/storage/level-log.js';
import type { Store } from '../../../server/storage/store.js';
import { call, write } from './store-conformance.js';

const OPTIONS = { cacheBytes: 1 << 20, writeBufferBytes: 8 << 20, openFiles: 100 };
const COUNT = 40;
const valueOf = (n: number): Buffer => Buffer.alloc(3_000, n);

describe("LevelDB's logs after a power failure (20)", () => {
  let folder: string;
  /** A store with COUNT batches in one log of several blocks, closed. */
  let directory: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tulpar-level-log-'));
    directory = path.join(folder, 'made');
    const store = await open(directory);
    for (let n = 0; n < COUNT; n++) await write(store, [{ key: Buffer.from([n]), value: valueOf(n) }]);
    await close(store);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const open = (at: string): Promise<Store> => call((done) => openLevelStore(at, OPTIONS, new DiskQueue(2), done));
  const close = (store: Store): Promise<void> => call((done) => store.close(done));
  const mend = (at: string): Promise<string | null> => call((done) => mendLogs(at, done));
  const logs = (at: string): string[] => fs.readdirSync(at).filter((name) => name.endsWith('.log'));
  const copied = (): { at: string; log: string; bytes: Buffer } => {
    const at = fs.mkdtempSync(path.join(folder, 'copy-'));
    fs.cpSync(directory, at, { recursive: true });
    const log = path.join(at, logs(at)[0]!);
    return { at, log, bytes: fs.readFileSync(log) };
  };
  /** How many batches the store has, from the first on without a gap; -1: there is a gap. */
  const held = async (at: string): Promise<number> => {
    const store = await open(at);
    const present = Array.from(
      { length: COUNT },
      (_, n) => store.getSync(Buffer.from([n]))?.equals(valueOf(n)) === true,
    );
    await close(store);
    const first = present.indexOf(false);
    if (first === -1) return COUNT;
    return present.slice(first).includes(true) ? -1 : first;
  };

  it('are left alone when nothing is missing', async () => {
    const { at, log, bytes } = copied();
    expect(crc32c(Buffer.from('123456789'), 0, 9)).to.equal(0xe3069283);
    expect(await mend(at)).to.equal(null);
    expect(fs.readFileSync(log).equals(bytes)).to.equal(true);
    expect(await held(at)).to.equal(COUNT);
    expect(await mend(path.join(folder, 'made'))).to.equal(null);
    const none = fs.mkdtempSync(path.join(folder, 'none-'));
    expect(await mend(none)).to.equal(null);
  });

  it('have a hole where a page is missing, which LevelDB by itself steps over, and are cut there', async () => {
    const lost = (): string => {
      const { at, log, bytes } = copied();
      bytes.fill(0, 40_960, 45_056);
      fs.writeFileSync(log, bytes);
      return at;
    };
    expect(await held(lost()), 'without mending').to.equal(-1);
    const at = lost();
    expect(await mend(at)).to.match(/\.log from \d+ of \d+ on$/);
    expect(await held(at)).to.be.within(5, 13);
    expect(await mend(at)).to.equal(null);
  });

  it('may end anywhere', async () => {
    for (let cut = 0; cut < 30; cut++) {
      const { at, log, bytes } = copied();
      fs.writeFileSync(log, bytes.subarray(0, Math.floor((cut / 30) * bytes.length)));
      await mend(at);
      expect(await held(at), `cut ${cut}`).to.be.within(
        Math.floor((cut * COUNT) / 30) - 2,
        Math.ceil((cut * COUNT) / 30),
      );
    }
  });

  it('count only to the end of the older file, when that lost its end and the newer one did not', async () => {
    /** As when LevelDB's write buffer was full after `inOlder` batches, and `lost` of those never reached the disk. */
    const split = (inOlder: number, lost: number): string => {
      const { at, log, bytes } = copied();
      const batches: Buffer[] = [];
      eachRecord(bytes, (record) => batches.push(record) > 0);
      expect(batches).to.have.length(COUNT);
      const next = `${String(Number(path.basename(log, '.log')) + 1).padStart(6, '0')}.log`;
      fs.writeFileSync(log, encodeLog(batches.slice(0, inOlder - lost)));
      fs.writeFileSync(path.join(at, next), encodeLog(batches.slice(inOlder)));
      return at;
    };
    const whole = split(25, 0);
    expect(await mend(whole)).to.equal(null);
    expect(await held(whole)).to.equal(COUNT);
    expect(await held(split(25, 3)), 'without mending').to.equal(-1);
    const at = split(25, 3);
    expect(await mend(at)).to.match(/\.log from 0 of \d+ on$/);
    expect(await held(at)).to.equal(22);
    const torn = split(25, 0);
    const older = path.join(torn, logs(torn)[0]!);
    fs.truncateSync(older, fs.statSync(older).size - 10);
    expect(await mend(torn)).to.match(/\.log from \d+ of \d+ on, \d+\.log$/);
    expect(fs.readdirSync(torn).filter((name) => name.endsWith('.log.lost'))).to.have.length(1);
    expect(await held(torn)).to.equal(24);
  });

  it('of older files are covered by a synced write', async () => {
    const { at } = copied();
    fs.writeFileSync(path.join(at, '000001.log'), '');
    const newest = await call<string>((done) => syncOlderLogs(at, '', done));
    expect(newest).to.equal(logs(at).at(-1));
    expect(await call<string>((done) => syncOlderLogs(at, newest, done))).to.equal(newest);
    const store = await open(at);
    await write(store, [{ key: Buffer.from('k'), value: Buffer.from('v') }], true);
    await close(store);
  });
});

/** LevelDB's log format. */
function encodeLog(records: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const record of records) {
    let from = 0;
    do {
      let left = 32 * 1024 - (at % (32 * 1024));
      if (left < 7) {
        push(Buffer.alloc(left));
        left = 32 * 1024;
      }
      const to = Math.min(record.length, from + left - 7);
      const [first, last] = [from === 0, to === record.length];
      const fragment = Buffer.alloc(7 + to - from);
      fragment.writeUInt16LE(to - from, 4);
      fragment[6] = first ? (last ? 1 : 2) : last ? 4 : 3;
      record.copy(fragment, 7, from, to);
      const crc = crc32c(fragment, 6, fragment.length);
      fragment.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0);
      push(fragment);
      from = to;
    } while (from < record.length);
  }
  return Buffer.concat(parts);
}
