/** A server's disk on real files. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openServerDisk, type DiskOptions, type ServerDisk } from '../../../server/disk.js';
import { systemEnvironment } from '../../../shared/environment.js';

describe('the disk of a server', () => {
  let dir: string;

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'tulpar-disk-'));
  });

  afterEach(() => fs.rmSync(dir, { recursive: true }));

  async function openAndClose(): Promise<void> {
    const options: DiskOptions = {
      dir,
      fsync: 'always',
      cacheBytes: 8 * 2 ** 20,
      threads: 4,
      startFreeBytes: 0,
      onWaiting: () => undefined,
      onMended: () => undefined,
    };
    const disk = await new Promise<ServerDisk>((resolve, reject) =>
      openServerDisk(
        systemEnvironment,
        options,
      )((error, opened) =>
        error !== null || opened === undefined ? reject(error ?? new Error('no disk')) : resolve(opened),
      ),
    );
    await new Promise<void>((resolve) => disk.opened.log.close(() => disk.close(() => resolve())));
  }

  it('makes its lock again when a power failure left it without contents', async () => {
    await openAndClose();
    const lock = join(dir, 'stores', 'lock');
    for (const name of fs.readdirSync(lock)) if (name.startsWith('MANIFEST')) fs.truncateSync(join(lock, name), 0);
    await openAndClose();
    expect(fs.readdirSync(join(dir, 'stores'))).to.deep.equal(['lock']);
  });
});
