/** All servers killed and two disks destroyed: nothing guesses, meta says what it waits for, and an administrator decides [17]. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ClusterStatus, PartitionRow } from '../../meta/admin.js';
import type { ChecksumRow } from '../../meta/checksums.js';
import type { RecoveryRow } from '../../meta/recovery-report.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, projectFolder, startLocalCluster } from '../cluster/local-cluster.js';

const SERVERS = ['server-1', 'server-2', 'server-3'] as const;
const SURVIVOR = 'server-2';

describe('a cluster that lost two of three disks', () => {
  let cluster: LocalCluster;

  beforeEach(async () => {
    cluster = await startLocalCluster();
  });

  afterEach(() => cluster.stop());

  function admin(...words: string[]): Promise<{ failed: boolean; text: string }> {
    const { ports } = JSON.parse(readFileSync(join(cluster.directory, 'cluster.json'), 'utf8')) as {
      ports: { http: number };
    };
    const flags = [join(projectFolder, 'dist/cli/main.js'), 'admin', ...words, '--meta', `127.0.0.1:${ports.http}`];
    return new Promise((resolve) => {
      execFile(process.execPath, flags, (error, stdout, stderr) =>
        resolve({ failed: error !== null, text: `${stdout}${stderr}` }),
      );
    });
  }

  /** Kills every server at once; `before` runs while their supervisor cannot start them again. */
  function killServers(before: () => void): void {
    process.kill(cluster.pid, 'SIGSTOP');
    for (const name of SERVERS) process.kill(cluster.nodes().get(name)!, 'SIGKILL');
    before();
    process.kill(cluster.pid, 'SIGCONT');
  }

  function wipe(name: string): void {
    const folder = join(cluster.directory, name);
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true });
  }

  function whole(): Promise<PartitionRow> {
    return eventually('the partition has three members and is served', async () => {
      const [row] = await cluster.admin<PartitionRow[]>('partitions');
      return row?.state === 'serving' && row.secondaries.length === 2 && row.learners.length === 0 ? row : undefined;
    });
  }

  it('waits and says for whom; forced, it serves what is left and the others learn it', async () => {
    await whole();
    const client = new Redis(cluster.port);
    await client.mset(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key:${i}`, `value ${i}`])));
    killServers(() => {
      for (const name of SERVERS) if (name !== SURVIVOR) wipe(name);
    });

    const wait = await eventually('meta asks for an administrator', async () => {
      const { waiting } = await cluster.admin<ClusterStatus>('status');
      return waiting.find(({ reason }) => reason.includes('an administrator must choose'));
    });
    expect(wait.reason).to.match(/only 1 of 3 members came back with their data/);
    const rows = await cluster.admin<RecoveryRow[]>('recovery');
    expect(Object.fromEntries(rows.map(({ node, state }) => [node, state]))).to.deep.equal({
      'server-1': 'back without its copy',
      'server-2': 'back',
      'server-3': 'back without its copy',
    });
    expect((await admin('status')).text).to.match(/not ready.*\npartition 1 waits since .* s: only 1 of 3 members/);
    expect((await admin('recovery')).text).to.match(/server-2 +(primary|secondary) +back +1 +\d+/);
    expect((await cluster.admin<PartitionRow[]>('partitions'))[0]).to.include({ state: 'waiting' });

    const asked = await admin('recover', '--partition', '1', '--node', SURVIVOR);
    expect(asked).to.include({ failed: true });
    expect(asked.text).to.match(/server-2 has everything that the others have; repeat with force/);
    expect((await admin('recover', '--partition', '1', '--node', 'server-1', '--force')).text).to.match(
      /server server-1 has no copy of partition 1/,
    );
    const forced = await admin('recover', '--partition', '1', '--node', SURVIVOR, '--force');
    expect(forced).to.deep.equal({ failed: false, text: 'partition 1 goes on with server-2\n' });

    expect((await whole()).primary).to.equal(SURVIVOR);
    expect(await client.get('key:499')).to.equal('value 499');
    expect(await client.dbsize()).to.equal(500);
    expect(await client.set('key:500', 'new')).to.equal('OK');
    const sums = await eventually('three checksums', async () => {
      const found = await cluster.admin<ChecksumRow[]>('checksums');
      return found.every(({ checksum }) => checksum !== null) && found.length === 3 ? found : undefined;
    });
    expect(new Set(sums.map(({ checksum }) => checksum)).size).to.equal(1);
    client.disconnect();
  });
});
