import { expect } from 'chai';
import { Admin } from '../../../meta/admin.js';
import { MetaHttp } from '../../../meta/http.js';
import { Kind, type Message } from '../../../shared/wire/messages.js';
import { silentLogger } from '../../../shared/logging.js';
import { MetaHarness } from './harness.js';

describe("meta's HTTP listener", () => {
  let harness: MetaHarness;
  let http: MetaHttp;
  let base = '';
  /** Virtual time goes on while a request waits for meta. */
  let clock: NodeJS.Timeout;

  beforeEach((done) => {
    harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    const sessions = { sessions: 2, connections: 5, results: 7, bytes: 99 };
    harness.heartbeat('a', 'a1', [{ role: 'primary', serving: true, committed: 42, learners: ['d'], sessions }]);
    const self = {
      node: 'meta',
      role: 'meta',
      boot: 'm',
      host: '127.0.0.1',
      port: 7400,
      machine: 'x',
      pid: 3,
      state: 'alive',
    } as const;
    http = new MetaHttp(harness.meta, new Admin(harness.time, harness.meta, self, 500), silentLogger);
    clock = setInterval(() => harness.time.advance(10), 1);
    http.listen('127.0.0.1', 0, (error, port) => {
      base = `http://127.0.0.1:${port}`;
      done(error ?? undefined);
    });
  });
  afterEach((done) => {
    clearInterval(clock);
    http.close(done);
  });

  const get = async (path: string): Promise<unknown> => (await fetch(base + path)).json();
  const send = (method: string, path: string, body: unknown, type = 'application/json'): Promise<Response> =>
    fetch(base + path, { method, headers: { 'content-type': type }, body: JSON.stringify(body) });

  it('lists nodes with meta among them', async () => {
    expect(await get('/api/nodes')).to.deep.include({
      node: 'meta',
      role: 'meta',
      address: '127.0.0.1:7400',
      pid: 3,
      boot: 'm',
      state: 'alive',
      diskFreeBytes: null,
      setAside: null,
    });
    expect(await get('/api/nodes')).to.have.length(4);
  });

  it('lists partitions with node names', async () => {
    expect(await get('/api/partitions')).to.deep.equal([
      {
        table: 'default',
        partition: 1,
        slots: [0, 16_383],
        ballot: 1,
        primary: 'a',
        secondaries: ['b', 'c'],
        learners: ['d'],
        state: 'serving',
        committed: 42,
        sessions: { sessions: 2, connections: 5, results: 7, bytes: 99 },
      },
    ]);
  });

  it('says whether the cluster can be used', async () => {
    expect(await get('/api/status')).to.include({ ready: false, partitions: 1, serving: 1, full: 1 });
    harness.register('p', 'p1', [], { role: 'proxy' });
    expect(await get('/api/status')).to.include({ ready: true });
    expect((await fetch(`${base}/health`)).status).to.equal(200);
  });

  it('creates and drops tables', async () => {
    expect((await send('POST', '/api/tables', { table: 'orders', partitions: 2 })).status).to.equal(200);
    expect(await get('/api/tables')).to.deep.include({
      table: 'orders',
      id: 2,
      partitions: 2,
      multiKey: 'slot',
      replicas: 3,
      minReplicas: 2,
    });
    const refused = await send('POST', '/api/tables', { table: 'orders', partitions: 2 });
    expect([refused.status, await refused.json()]).to.deep.equal([
      409,
      { error: { code: 'E_REFUSED', message: 'table orders exists already' } },
    ]);
    expect((await send('DELETE', '/api/tables/orders', {})).status).to.equal(200);
    expect(await get('/api/tables')).to.have.length(1);
  });

  it('gathers checksums from all replicas, and says who did not answer', async () => {
    const { network } = harness;
    const realSend = network.send.bind(network);
    network.send = (node: string, message: Message) => {
      if (message[0] === Kind.checksum) {
        for (const member of ['a', 'b']) {
          harness.time.after(10, () =>
            network.onMessage({ node: member, boot: `${member}1`, role: 'server' }, [
              Kind.checksumResult,
              message[1],
              message[2],
              9,
              'cafe',
              5,
            ]),
          );
        }
      }
      return realSend(node, message);
    };
    expect(await get('/api/checksums?table=default')).to.deep.equal([
      { table: 'default', partition: 1, node: 'a', decree: 9, checksum: 'cafe', entries: 5 },
      { table: 'default', partition: 1, node: 'b', decree: 9, checksum: 'cafe', entries: 5 },
      { table: 'default', partition: 1, node: 'c', decree: null, checksum: null, entries: null },
    ]);
  });

  it('recovers a partition only when forced', async () => {
    const asked = await send('POST', '/api/recover', { partition: 1, node: 'b' });
    expect(await asked.json())
      .to.have.nested.property('error.message')
      .match(/does not wait/);
    const forced = await send('POST', '/api/recover', { partition: 1, node: 'b', force: true });
    expect(await forced.json())
      .to.have.nested.property('error.message')
      .match(/has a primary, a/);
  });

  it('serves metrics', async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text)
      .to.contain('tulpar_nodes{role="server",state="alive"} 3')
      .and.contain('tulpar_partitions_serving{table="default"} 1');
  });

  it('refuses what it does not know, and changes that a web page could send', async () => {
    expect((await fetch(`${base}/nothing`)).status).to.equal(404);
    expect((await fetch(base, { method: 'PUT' })).status).to.equal(405);
    expect((await send('POST', '/api/tables', { table: 'x' }, 'text/plain')).status).to.equal(415);
    expect((await send('POST', '/api/tables', 'text')).status).to.equal(400);
    expect((await send('POST', '/api/tables', { table: 'x'.repeat(70_000) })).status).to.equal(400);
    expect((await send('DELETE', '/api/tables/%', {})).status).to.equal(409);
  });
});
