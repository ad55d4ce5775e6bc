/** Killing processes under load: clients see latency only, and nothing that was acknowledged is lost. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { PartitionRow } from '../../meta/admin.js';
import type { ChecksumRow } from '../../meta/checksums.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { Writers } from './writers.js';

describe('a cluster under load', () => {
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
    return eventually('the partition has three members again', async () => {
      const row = await partition();
      return row.primary !== null && row.secondaries.length === 2 && row.learners.length === 0 ? row : undefined;
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
    expect(writers.longestGapMs, 'time without writes').to.be.below(5_000);
    const client = new Redis(cluster.port);
    const keys = [...writers.acknowledged.keys()];
    const values = await client.mget(keys);
    const lost = keys.filter((key, i) => values[i] !== writers.acknowledged.get(key));
    expect(lost).to.deep.equal([]);
    await client.quit();
  }

  async function expectEqualReplicas(): Promise<void> {
    const rows = await eventually('three checksums at one decree', async () => {
      const found = await cluster.admin<ChecksumRow[]>('checksums');
      return found.length === 3 && new Set(found.map(({ decree }) => decree)).size === 1 ? found : undefined;
    });
    expect(new Set(rows.map(({ checksum }) => checksum)).size).to.equal(1);
  }

  async function killUnderLoad(victim: (row: PartitionRow) => string | null | undefined): Promise<void> {
    const row = await whole();
    const writers = new Writers(cluster.port, 50);
    await untilWritten(writers, 500);
    process.kill(pidOf(victim(row)), 'SIGKILL');
    await untilWritten(writers, 500);
    await whole();
    await writers.stop();
    await expectNothingLost(writers);
    await expectEqualReplicas();
  }

  it('goes on when the primary is killed, which then is a full secondary again', () =>
    killUnderLoad((row) => row.primary));

  it('goes on when a secondary is killed', () => killUnderLoad((row) => row.secondaries[0]));

  it('rebuilds a replica whose disk was wiped, while writes go on', async () => {
    const victim = (await whole()).secondaries[0];
    const writers = new Writers(cluster.port, 20);
    await untilWritten(writers, 500);
    // Stopped meanwhile, so that it cannot start the server before its folder is empty.
    process.kill(cluster.pid, 'SIGSTOP');
    process.kill(pidOf(victim), 'SIGKILL');
    const folder = join(cluster.directory, victim ?? '');
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    process.kill(cluster.pid, 'SIGCONT');
    await untilWritten(writers, 500);
    await eventually('the wiped server is a secondary again', async () =>
      (await partition()).secondaries.includes(victim ?? '') ? true : undefined,
    );
    await writers.stop();
    await expectNothingLost(writers);
    await expectEqualReplicas();
  });
});
