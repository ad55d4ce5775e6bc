/** `tulpar local` as a person uses it: a real cluster of processes, real clients, kill -9. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeRow, PartitionRow } from '../../meta/admin.js';
import type { ChecksumRow } from '../../meta/checksums.js';
import { processEnvironment } from '../../shared/config/process-environment.js';
import { eventually } from '../cluster/condition.js';
import {
  type LocalCluster,
  type LocalClusterOptions,
  projectFolder,
  startLocalCluster,
} from '../cluster/local-cluster.js';
import { freePort } from '../cluster/sockets.js';

const main = join(projectFolder, 'dist/cli/main.js');
/** All that these tests write is in here. */
const folder = mkdtempSync(join(tmpdir(), 'tulpar-test-'));
/** "The cluster that was started last" is looked up in the temporary folder: other tests have theirs. */
const environment = { TMPDIR: folder };

function startCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  return startLocalCluster({ ...options, environment });
}

/** Runs a command to its end. */
function tulpar(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...processEnvironment(), ...environment },
  });
  return { status, output: stdout + stderr };
}

/** Rows of `tulpar admin LISTING --json`, of the cluster that was started last. */
function admin<Row>(listing: string): Row[] {
  const { status, output } = tulpar('admin', listing, '--json');
  expect(status, output).to.equal(0);
  return JSON.parse(output) as Row[];
}

async function wholeAgain(cluster: LocalCluster): Promise<PartitionRow> {
  return eventually(
    'the partition has three replicas and no learner',
    async () => {
      const [row] = await cluster.admin<PartitionRow[]>('partitions');
      return row !== undefined && row.primary !== null && row.secondaries.length === 2 && row.learners.length === 0
        ? row
        : undefined;
    },
    60_000,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Writes `key:i` one after the other until it is stopped; every error is noted. */
class Writer {
  readonly errors: Error[] = [];
  acknowledged = 0;
  private readonly client: Redis;
  private stopped = false;
  private readonly finished: Promise<void>;

  constructor(port: number) {
    this.client = new Redis(port, '127.0.0.1');
    this.client.on('error', (error: Error) => this.errors.push(error));
    this.finished = this.write();
  }

  /** Resolves when `count` more writes have been acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await eventually(`${count} more writes are acknowledged`, () => (this.acknowledged >= goal ? true : undefined));
  }

  /** Stops writing and reads everything back. */
  async check(): Promise<void> {
    this.stopped = true;
    await this.finished;
    expect(this.errors).to.deep.equal([]);
    const values = await this.client.mget(Array.from({ length: this.acknowledged }, (_, i) => `key:${i}`));
    for (const [i, value] of values.entries()) expect(value).to.equal(`value ${i}`);
    this.client.disconnect();
  }

  private async write(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.client.set(`key:${this.acknowledged}`, `value ${this.acknowledged}`);
        this.acknowledged++;
      } catch (error) {
        this.errors.push(error as Error);
        return;
      }
    }
  }
}

describe('tulpar local', function () {
  this.timeout(180_000);

  after(() => rmSync(folder, { recursive: true, force: true }));

  describe('while processes are killed', () => {
    let cluster: LocalCluster;
    before(async () => {
      cluster = await startCluster();
    });
    after(() => cluster.stop());

    it('shows its nodes and partitions to an administrator who names nothing', () => {
      const nodes = admin<NodeRow>('nodes');
      expect(nodes.map((row) => `${row.node} ${row.role} ${row.state}`)).to.deep.equal([
        'meta meta alive',
        'server-1 server alive',
        'server-2 server alive',
        'server-3 server alive',
        'proxy proxy alive',
      ]);
      for (const row of nodes) expect(cluster.nodes().get(row.node), row.node).to.equal(row.pid);
      const [partition, ...others] = admin<PartitionRow>('partitions');
      expect(others).to.deep.equal([]);
      expect(partition).to.deep.include({ table: 'default', slots: [0, 16_383], learners: [] });
      expect(tulpar('admin', 'tables').output).to.match(/^TABLE +ID.*\ndefault +1/);
    });

    for (const victim of ['primary', 'secondary'] as const) {
      it(`goes on without an error when the server of a ${victim} is killed, and takes it back`, async () => {
        const before = await wholeAgain(cluster);
        const node = victim === 'primary' ? before.primary : before.secondaries[0];
        const writer = new Writer(cluster.port);
        await writer.more(200);
        process.kill(cluster.nodes().get(node ?? '') ?? 0, 'SIGKILL');
        await writer.more(200);
        const after = await wholeAgain(cluster);
        expect(after.ballot).to.be.greaterThan(before.ballot);
        expect([after.primary, ...after.secondaries]).to.include(node);
        await writer.check();
      });
    }

    it('rebuilds a replica that was wiped from disk, while traffic goes on', async () => {
      const before = await wholeAgain(cluster);
      const node = before.secondaries[0] ?? '';
      const writer = new Writer(cluster.port);
      await writer.more(200);
      process.kill(cluster.nodes().get(node) ?? 0, 'SIGSTOP'); // or it would write on while it is wiped
      rmSync(join(cluster.directory, node), { recursive: true });
      process.kill(cluster.nodes().get(node) ?? 0, 'SIGKILL');
      await writer.more(200);
      const after = await wholeAgain(cluster);
      expect(after.ballot).to.be.greaterThan(before.ballot);
      await writer.check();
    });

    it('does not feel the death of meta', async () => {
      const before = await wholeAgain(cluster);
      const writer = new Writer(cluster.port);
      await writer.more(100);
      const meta = cluster.nodes().get('meta') ?? 0;
      process.kill(meta, 'SIGKILL');
      await writer.more(500);
      await eventually('meta is back', () => {
        const pid = cluster.nodes().get('meta');
        return pid !== undefined && pid !== meta ? true : undefined;
      });
      await writer.more(500);
      const after = await wholeAgain(cluster);
      expect(after).to.deep.include({ ballot: before.ballot, primary: before.primary });
      await writer.check();
    });

    it('has equal contents in all replicas', async () => {
      await wholeAgain(cluster);
      // meta has just been killed: a server that is not connected to it again yet cannot answer
      const rows = await eventually('an answer of every replica at one decree', async () => {
        const found = await cluster.admin<ChecksumRow[]>('checksums');
        return found.length === 3 && new Set(found.map(({ decree }) => decree)).size === 1 ? found : undefined;
      });
      expect(rows).to.have.length(3);
      expect(
        new Set(rows.map((row) => `${row.decree} ${row.checksum} ${row.entries}`)).size,
        JSON.stringify(rows),
      ).to.equal(1);
      expect(rows[0]?.entries).to.be.greaterThan(0);
    });
  });

  describe('started again', () => {
    let directory = '';
    let cluster: LocalCluster | undefined;
    before(() => {
      directory = mkdtempSync(join(folder, 'local-'));
    });
    after(async () => {
      await cluster?.stop();
    });

    const expectKeys = async (port: number, upTo: number): Promise<void> => {
      const client = new Redis(port, '127.0.0.1');
      for (let i = 0; i < upTo; i++) expect(await client.get(`kept:${i}`)).to.equal(String(i));
      await client.quit();
    };

    it('has all keys after Ctrl-C', async () => {
      cluster = await startCluster({ directory });
      const client = new Redis(cluster.port, '127.0.0.1');
      for (let i = 0; i < 50; i++) await client.set(`kept:${i}`, i);
      await client.quit();
      const { pid } = cluster;
      process.kill(pid, 'SIGINT');
      await eventually('the supervisor ends', () => (isAlive(pid) ? undefined : true));
      expect(cluster.output()).to.contain('stopped; the data stays');
      cluster = await startCluster({ directory });
      await expectKeys(cluster.port, 50);
    });

    it('has all keys after every process was killed', async () => {
      const { port } = cluster as LocalCluster;
      const client = new Redis(port, '127.0.0.1');
      client.on('error', () => undefined); // it is about to lose its server
      for (let i = 50; i < 100; i++) await client.set(`kept:${i}`, i);
      client.disconnect();
      const victims = [(cluster as LocalCluster).pid, ...(cluster as LocalCluster).processes()];
      for (const pid of new Set(victims)) process.kill(pid, 'SIGKILL');
      cluster = await startCluster({ directory, port });
      await expectKeys(port, 100);
    });

    it('leaves no process behind when its supervisor is killed', async () => {
      const running = cluster as LocalCluster;
      const children = [...running.nodes().values()];
      expect(children).to.have.length(5);
      process.kill(running.pid, 'SIGKILL');
      await eventually('all are gone', () => (children.some(isAlive) ? undefined : true));
    });

    it('refuses to be another cluster than the one whose data it finds', () => {
      const refused = (...flags: string[]): string =>
        tulpar('local', '--port', '0', '--dir', directory, ...flags).output;
      expect(refused('--servers', '2')).to.match(/E_CONFIG: servers: .* has 3; 2 would leave out replicas/);
      expect(refused('--partitions', '2', '--multi-key', 'slot')).to.match(/E_CONFIG: partitions: .* was made with 1/);
    });
  });

  describe('beside another', () => {
    let first: LocalCluster;
    let second: LocalCluster;
    before(async () => {
      first = await startCluster({ flags: ['--servers', '1'] });
      second = await startCluster({ flags: ['--servers', '1', '--partitions', '4', '--multi-key', 'slot'] });
    });
    after(async () => {
      await second.stop();
      await first.stop();
    });

    it('keeps its own data', async () => {
      const clients = [first, second].map(({ port }) => new Redis(port, '127.0.0.1'));
      await clients[0]?.set('whose', 'first');
      await clients[1]?.set('whose', 'second');
      expect(await Promise.all(clients.map((client) => client.get('whose')))).to.deep.equal(['first', 'second']);
      for (const client of clients) client.disconnect();
    });

    it('is the one that the administrator sees, being the last', () => {
      expect(admin<PartitionRow>('partitions')).to.have.length(4);
    });

    it('creates and drops tables', () => {
      expect(tulpar('admin', 'tables', 'create', 'orders', '--partitions', '2', '--replicas', '1')).to.include({
        status: 0,
      });
      expect(admin<{ table: string }>('tables').map((row) => row.table)).to.deep.equal(['default', 'orders']);
      expect(tulpar('admin', 'tables', 'create', 'orders').output).to.match(/E_REFUSED.*exists already/);
      expect(tulpar('admin', 'tables', 'drop', 'orders')).to.include({ status: 0 });
      expect(admin('tables')).to.have.length(1);
    });

    it('refuses a taken port and a folder in use', () => {
      const dir = mkdtempSync(join(folder, 'local-'));
      const taken = tulpar('local', '--port', String(first.port), '--dir', dir);
      expect(taken).to.deep.include({ status: 1 });
      expect(taken.output).to.match(/E_LISTEN: port \d+ on 127\.0\.0\.1 is taken/);
      const used = tulpar('local', '--port', '1', '--dir', first.directory);
      expect(used).to.deep.include({ status: 1 });
      expect(used.output).to.match(/E_LOCKED: .* is in use/);
    });
  });

  it('refuses what it does not understand, by name', () => {
    const dir = mkdtempSync(join(folder, 'local-'));
    const local = (...flags: string[]): string => {
      const { status, output } = tulpar('local', '--dir', dir, ...flags);
      expect(status, output).to.equal(1);
      return output;
    };
    expect(local('--partitions', '4')).to.match(/E_CONFIG: partitions: 4 with multiKey any/);
    expect(local('--partition', '4')).to.match(/E_CONFIG: unknown option '--partition'/);
    expect(local('--fsync', 'maybe')).to.match(/E_CONFIG: fsync \(--fsync\): "maybe" is not one of/);
    expect(local('--port', 'x')).to.match(/E_CONFIG: port/);
  });

  it('documents every option', () => {
    const { status, output } = tulpar('local', '--help');
    expect(status).to.equal(0);
    for (const flag of [
      '--port',
      '--dir',
      '--servers',
      '--partitions',
      '--multi-key',
      '--fsync',
      '--lease-ms',
      '--config',
    ])
      expect(output).to.contain(flag);
    expect(output).to.contain('TULPAR_MULTI_KEY');
  });

  it('starts over a first start that was killed', async () => {
    const directory = mkdtempSync(join(folder, 'local-'));
    const port = await freePort();
    const child = spawn(process.execPath, [main, 'local', '--port', String(port), '--dir', directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    const cluster = await startCluster({ directory, port });
    await cluster.stop();
  });
});
