/** Servers that leave on purpose, and a meta that is away: clients hardly notice. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ClusterStatus, PartitionRow } from '../../meta/admin.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, projectFolder, startLocalCluster } from '../cluster/local-cluster.js';
import { Writers } from './writers.js';

/** What a planned move may cost at most, on a machine that does other things: a kill costs far more. */
const GAP_MS_MAX = 700;

describe('a cluster whose servers leave in order', () => {
  let cluster: LocalCluster;

  beforeEach(async () => {
    cluster = await startLocalCluster();
  });

  afterEach(() => cluster.stop());

  async function partition(): Promise<PartitionRow> {
    const [row] = await cluster.admin<PartitionRow[]>('partitions');
    return row as PartitionRow;
  }

  function whole(): Promise<PartitionRow> {
    return eventually('the partition has three members and is served', async () => {
      const row = await partition();
      return row.state === 'serving' && row.secondaries.length === 2 && row.learners.length === 0 ? row : undefined;
    });
  }

  function pidOf(node: string | null | undefined): number {
    const pid = cluster.nodes().get(node ?? '');
    if (pid === undefined) throw new Error(`no process runs ${node}`);
    return pid;
  }

  async function untilWritten(writers: Writers, more: number): Promise<void> {
    const wanted = writers.acknowledged.size + more;
    await eventually(`${more} more writes`, () => (writers.acknowledged.size >= wanted ? true : undefined));
  }

  async function expectNothingLost(writers: Writers): Promise<void> {
    expect(writers.errors).to.deep.equal([]);
    expect(writers.closed, 'connections lost').to.equal(0);
    const client = new Redis(cluster.port);
    const keys = [...writers.acknowledged.keys()];
    const values = await client.mget(keys);
    expect(keys.filter((key, i) => values[i] !== writers.acknowledged.get(key))).to.deep.equal([]);
    await client.quit();
  }

  /** `tulpar admin ...` as a person types it; not synchronously, which would be measured as a gap. */
  function admin(...words: string[]): Promise<{ failed: boolean; text: string }> {
    const { ports } = JSON.parse(readFileSync(join(cluster.directory, 'cluster.json'), 'utf8')) as {
      ports: { http: number };
    };
    const main = join(projectFolder, 'dist/cli/main.js');
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, 'admin', ...words, '--meta', `127.0.0.1:${ports.http}`],
        (error, stdout, stderr) => resolve({ failed: error !== null, text: `${stdout}${stderr}` }),
      );
    });
  }

  it('moves a primary where an administrator wants it, without an error or a gap', async () => {
    const { secondaries } = await whole();
    const [to = ''] = secondaries;
    const writers = new Writers(cluster.port, 20);
    await untilWritten(writers, 500);
    writers.measure();
    const moved = await admin('move-primary', '--partition', '1', '--to', to);
    expect(moved).to.deep.equal({ failed: false, text: `${to} is the primary of partition 1\n` });
    await untilWritten(writers, 500);
    expect((await whole()).primary).to.equal(to);
    await writers.stop();

    expect(writers.longestGapMs).to.be.below(GAP_MS_MAX);
    await expectNothingLost(writers);
    expect((await admin('move-primary', '--partition', '1', '--to', to)).text).to.match(
      /is the primary of partition 1 already/,
    );
  });

  it('goes on without a pause to speak of when the primary is told to stop, and takes it back', async () => {
    const { primary } = await whole();
    const writers = new Writers(cluster.port, 20);
    await untilWritten(writers, 500);
    writers.measure();
    process.kill(pidOf(primary), 'SIGTERM');
    await eventually('another primary', async () => ((await partition()).primary === primary ? undefined : true));
    await untilWritten(writers, 500);
    const gapMs = writers.longestGapMs;
    const again = await whole();
    expect([again.primary, ...again.secondaries]).to.include(primary);
    await writers.stop();

    expect(gapMs).to.be.below(GAP_MS_MAX);
    await expectNothingLost(writers);
  });

  it('goes on while meta is stopped, and nothing changes when it goes on', async () => {
    const before = await whole();
    const writers = new Writers(cluster.port, 20);
    await untilWritten(writers, 500);
    writers.measure();
    process.kill(pidOf('meta'), 'SIGSTOP');
    try {
      // longer than every lease, of servers and of meta
      const endMs = performance.now() + 6_000;
      while (performance.now() < endMs) await untilWritten(writers, 200);
    } finally {
      process.kill(pidOf('meta'), 'SIGCONT');
    }
    await untilWritten(writers, 500);
    await writers.stop();

    expect(writers.longestGapMs).to.be.below(GAP_MS_MAX);
    const after = await whole();
    expect([after.ballot, after.primary]).to.deep.equal([before.ballot, before.primary]);
    await expectNothingLost(writers);
  });

  it('goes on while meta is dead; its restart changes no role', async () => {
    const before = await whole();
    const writers = new Writers(cluster.port, 20);
    await untilWritten(writers, 500);
    writers.measure();
    // stopped meanwhile, so that it does not start meta again at once
    process.kill(cluster.pid, 'SIGSTOP');
    process.kill(pidOf('meta'), 'SIGKILL');
    try {
      const endMs = performance.now() + 6_000;
      while (performance.now() < endMs) await untilWritten(writers, 200);
    } finally {
      process.kill(cluster.pid, 'SIGCONT');
    }
    await eventually('meta has heard of all again', async () =>
      (await cluster.admin<ClusterStatus>('status')).ready ? true : undefined,
    );
    await untilWritten(writers, 500);
    await writers.stop();

    expect(writers.longestGapMs).to.be.below(GAP_MS_MAX);
    const after = await whole();
    expect([after.ballot, after.primary]).to.deep.equal([before.ballot, before.primary]);
    await expectNothingLost(writers);
  });
});
