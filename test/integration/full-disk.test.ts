/** Disks that fill up, as small file systems in memory. Where mounting is not permitted these tests cannot be made, and say so. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { PartitionRow } from '../../meta/admin.js';
import type { ChecksumRow } from '../../meta/checksums.js';
import { eventually } from '../cluster/condition.js';
import { atExit } from '../cluster/exit.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';

const MiB = 1024 * 1024;

class SmallDisk {
  readonly path: string;
  private readonly forget: () => void;
  private readonly ballast: string;

  constructor(path: string, megabytes: number) {
    this.path = path;
    this.ballast = join(path, 'ballast');
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'pipe' });
    this.forget = atExit(() => this.unmount());
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Somebody else's file grows until only `left` bytes are free. Servers that compact free more later: to be repeated. */
  fill(left: number): void {
    const file = openSync(this.ballast, 'a');
    const block = Buffer.alloc(64 * 1024);
    try {
      while (this.freeBytes > left) writeSync(file, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  grow(megabytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${megabytes}m`, this.path], { stdio: 'pipe' });
  }

  empty(): void {
    rmSync(this.ballast, { force: true });
  }

  unmount(): void {
    this.forget();
    execFileSync('umount', ['--lazy', this.path], { stdio: 'pipe' });
  }
}

/** Null: it is permitted. */
function whyNoMount(): string | null {
  const path = mkdtempSync(join(tmpdir(), 'tulpar-mount-'));
  try {
    new SmallDisk(path, 1).unmount();
    return null;
  } catch (error) {
    return String(error);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

describe('a full disk', () => {
  const refused = whyNoMount();
  let folder: string;
  let cluster: LocalCluster | null;
  let client: Redis | null;
  const disks: SmallDisk[] = [];

  before(function () {
    if (refused === null) return;
    console.log(`      not tested here: file systems cannot be mounted (${refused.slice(0, 120)})`);
    this.skip();
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tulpar-full-'));
    cluster = null;
    client = null;
  });

  afterEach(async () => {
    client?.disconnect();
    await cluster?.stop();
    for (const disk of disks.splice(0)) disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  });

  const disk = (path: string, megabytes: number): SmallDisk => {
    const made = new SmallDisk(path, megabytes);
    disks.push(made);
    return made;
  };
  const start = async (...flags: string[]): Promise<Redis> => {
    cluster = await startLocalCluster({ directory: join(folder, 'cluster'), flags });
    client = new Redis(cluster.port);
    client.on('error', () => undefined);
    return client;
  };
  const replyOf = (reply: Promise<unknown>): Promise<string> => reply.then(String, (error: Error) => error.message);
  const whole = (): Promise<unknown> =>
    eventually(
      'the partition has three members',
      async () => {
        const [row] = await cluster!.admin<PartitionRow[]>('partitions');
        return row !== undefined && row.primary !== null && row.secondaries.length === 2 ? row : undefined;
      },
      60_000,
    );

  it('refuses what grows, then every write, serves reads, and takes writes again when there is space (23)', async () => {
    const small = disk(join(folder, 'cluster'), 320);
    const redis = await start('--disk-soft-bytes', '120mb', '--disk-hard-bytes', '60mb', '--cache-bytes', '16mb');
    const pids = new Set(cluster!.nodes().values());
    await redis.set('kept', 'here');
    await redis.set('spare', 'x');
    const value = randomBytes(64 * 1024); // LevelDB compresses
    let refusal = '';
    for (let i = 0; refusal === '' && i < 10_000; i++) {
      const reply = await replyOf(redis.set(`big:${i}`, value));
      if (reply !== 'OK') refusal = reply;
    }
    expect(refusal).to.match(/^OOM command not allowed: the disk of a partition server is (nearly )?full$/);
    expect(small.freeBytes).to.be.greaterThan(10 * MiB);
    expect(await redis.get('kept')).to.equal('here');
    small.grow(400); // whatever the servers take, what is emptied below is enough
    await eventually('every write is refused', async () => {
      small.fill(40 * MiB);
      return (await replyOf(redis.del('spare'))).startsWith('OOM') ? true : undefined;
    });
    expect(await redis.get('kept')).to.equal('here');
    small.empty();
    await eventually('deletions are taken again', async () =>
      (await replyOf(redis.del('spare'))).startsWith('OOM') ? undefined : true,
    );
    small.grow(1_000);
    await eventually('everything is taken again', async () =>
      (await replyOf(redis.set('grows', value))) === 'OK' ? true : undefined,
    );
    expect(new Set(cluster!.nodes().values()), 'nobody died of it').to.deep.equal(pids);
    await whole();
  });

  it('of one server only takes that server away, until it has space and learns again (8, 23)', async () => {
    const small = disk(join(folder, 'cluster', 'server-2'), 256);
    // Without watermarks: what a disk does that fills up between two looks at it.
    const redis = await start('--disk-soft-bytes', '0', '--disk-hard-bytes', '0', '--cache-bytes', '16mb');
    await whole();
    const acknowledged: number[] = [];
    let i = 0;
    const write = async (): Promise<string> => {
      const n = i++;
      const reply = await replyOf(redis.set(`key:${n}`, Buffer.alloc(16 * 1024, String(n))));
      if (reply === 'OK') acknowledged.push(n);
      return reply;
    };
    for (let n = 0; n < 50; n++) await write();
    await eventually(
      'the partition goes on without it',
      async () => {
        small.fill(0);
        await write();
        const [row] = await cluster!.admin<PartitionRow[]>('partitions');
        const members = [row?.primary, ...(row?.secondaries ?? [])];
        return members.length === 2 && !members.includes('server-2') ? true : undefined;
      },
      60_000,
    );
    for (let n = 0; n < 50; n++) expect(await write()).to.equal('OK');
    small.empty();
    await whole();
    for (let n = 0; n < 20; n++) expect(await write()).to.equal('OK');
    for (const n of acknowledged)
      expect((await redis.getBuffer(`key:${n}`))?.equals(Buffer.alloc(16 * 1024, String(n)))).to.equal(true);
    const sums = await cluster!.admin<ChecksumRow[]>('checksums');
    expect(new Set(sums.map(({ checksum }) => checksum)).size).to.equal(1);
    expect(sums).to.have.length(3);
  });
});
