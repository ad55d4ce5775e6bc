/** Users of a cluster with two proxies: one definition for both, kept by meta. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, projectFolder, startLocalCluster } from '../cluster/local-cluster.js';
import { stopChild } from '../cluster/processes.js';
import { ask, freePort } from '../cluster/sockets.js';
import { RespClient } from './resp-client.js';

describe('users of the cluster', function () {
  this.timeout(120_000);
  let directory: string;
  let cluster: LocalCluster;
  let second: ChildProcess;
  let secondPort: number;

  /** As the supervisor starts the first one. */
  async function startSecondProxy(): Promise<void> {
    const config = JSON.parse(readFileSync(join(directory, 'config/proxy.json'), 'utf8')) as object;
    const file = join(directory, 'second-proxy.json');
    secondPort = await freePort();
    writeFileSync(file, JSON.stringify({ ...config, node: 'second-proxy', port: secondPort }), { mode: 0o600 });
    second = spawn(process.execPath, [join(projectFolder, 'dist/cli/main.js'), 'run', '--config', file], {
      stdio: 'ignore',
    });
    await eventually('the second proxy is ready', async () => {
      const reply = await ask(secondPort, 'DBSIZE').catch(() => '');
      return reply.startsWith(':') || reply.startsWith('-NOAUTH') ? true : undefined;
    });
  }

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tulpar-acl-'));
    cluster = await startLocalCluster({ directory });
    await startSecondProxy();
  });

  after(async () => {
    await stopChild(second);
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const logIn = async (port: number, user: string, password: string): Promise<RespClient> => {
    const client = await RespClient.open(port);
    await eventually('the user is known', async () =>
      (await client.command('AUTH', user, password)) === 'OK' ? true : undefined,
    );
    return client;
  };

  it('made at one proxy may log in at the other, and may there what they may', async () => {
    const admin = await RespClient.open(cluster.port);
    const rules = ['on', '>secret', '~a*', '&news', '+@all', '-@dangerous'];
    expect(await admin.command('ACL', 'SETUSER', 'alice', ...rules)).to.equal('OK');
    const alice = await logIn(secondPort, 'alice', 'secret');
    expect(await alice.command('ACL', 'WHOAMI')).to.equal('alice');
    expect(await alice.command('SET', 'a', '1')).to.equal('OK');
    const noKey = '-NOPERM this user has no permissions to access one of the keys used as arguments';
    expect(await alice.command('MGET', 'a', 'b')).to.equal(noKey);
    expect(await alice.command('FLUSHALL')).to.equal(
      "-NOPERM this user has no permissions to run the 'flushall' command",
    );
    expect(await alice.command('PUBLISH', 'other', 'x')).to.match(/^-NOPERM .* channels /);
    const log = await RespClient.open(secondPort);
    expect(JSON.stringify(await log.command('ACL', 'LOG'))).to.contain('flushall');
  });

  it('may in scripts only what they may anyway', async () => {
    const alice = await logIn(cluster.port, 'alice', 'secret');
    expect(await alice.command('EVAL', "return redis.call('get', KEYS[1])", '1', 'a')).to.equal('1');
    expect(await alice.command('EVAL', "return redis.call('get', 'b')", '0')).to.match(
      /^-ERR The user executing the script can't access at least one of the keys mentioned in the command arguments/,
    );
    expect(await alice.command('EVAL', "return redis.pcall('flushall')['err']", '0')).to.match(
      /The user executing the script can't run this command or subcommand/,
    );
    const checks = "return {redis.acl_check_cmd('get', 'a') and 1 or 0, redis.acl_check_cmd('get', 'b') and 1 or 0}";
    expect(await alice.command('EVAL', checks, '0')).to.deep.equal([1, 0]);
  });

  it('lose rights between MULTI and EXEC, too', async () => {
    const admin = await RespClient.open(secondPort);
    const alice = await logIn(secondPort, 'alice', 'secret');
    expect(await alice.command('MULTI')).to.equal('OK');
    expect(await alice.command('SET', 'a', '2')).to.equal('QUEUED');
    expect(await alice.command('GET', 'a')).to.equal('QUEUED');
    expect(await admin.command('ACL', 'SETUSER', 'alice', '-set')).to.equal('OK');
    const [set, get] = (await alice.command('EXEC')) as [Error, string];
    expect(set.message).to.equal(
      'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand',
    );
    expect(get).to.equal('1');
  });

  it('that are deleted have their connections closed at every proxy', async () => {
    const admin = await RespClient.open(cluster.port);
    expect(await admin.command('ACL', 'SETUSER', 'bob', 'on', 'nopass', '+@all')).to.equal('OK');
    const bobs = [await logIn(cluster.port, 'bob', 'x'), await logIn(secondPort, 'bob', 'x')];
    expect(await admin.command('ACL', 'DELUSER', 'bob', 'nobody')).to.equal(1);
    for (const bob of bobs) await bob.until(() => bob.closed, 'the end of the connection');
  });

  it('include the default one, whose password is the same everywhere', async () => {
    const admin = await RespClient.open(cluster.port);
    expect(await admin.command('CONFIG', 'SET', 'requirepass', 'key')).to.equal('OK');
    await eventually('the other proxy knows', async () => {
      const stranger = await RespClient.open(secondPort);
      const reply = await stranger.command('GET', 'a');
      stranger.end();
      return reply === '-NOAUTH Authentication required.' ? true : undefined;
    });
    expect(await (await logIn(secondPort, 'default', 'key')).command('GET', 'a')).to.equal('1');
    expect(await admin.command('CONFIG', 'SET', 'requirepass', '')).to.equal('OK');
  });

  it('survive a restart of everything', async () => {
    const before = await (await RespClient.open(secondPort)).command('ACL', 'LIST');
    expect(before).to.have.length(2);
    await stopChild(second);
    await cluster.stop();
    cluster = await startLocalCluster({ directory });
    expect(await (await RespClient.open(cluster.port)).command('ACL', 'LIST')).to.deep.equal(before);
    await logIn(cluster.port, 'alice', 'secret');
  });
});
