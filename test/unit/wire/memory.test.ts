import { expect } from 'chai';
import { systemEnvironment } from '../../../shared/environment.js';
import { Hub, MemoryNetwork, type Route } from '../../../shared/wire/memory.js';
import type { Message } from '../../../shared/wire/messages.js';

/** A node that writes down what it is told. */
function node(hub: Hub, name: string, boot = '1'): { network: MemoryNetwork; told: string[] } {
  const network = new MemoryNetwork({ node: name, boot, role: 'server' }, hub);
  const told: string[] = [];
  network.onMessage = (from, message) => told.push(`${from.node}/${from.boot}: ${message.join(' ')}`);
  network.onConnected = (peer) => told.push(`+${peer.node}/${peer.boot}`);
  network.onDisconnected = (peer) => told.push(`-${peer.node}/${peer.boot}`);
  network.start();
  return { network, told };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('memory network', () => {
  it('announces nodes and delivers in order, at the end of the turn, to oneself too', async () => {
    const hub = new Hub(systemEnvironment);
    const a = node(hub, 'a');
    expect(a.network.send('b', [1])).to.equal(false);
    const b = node(hub, 'b');
    for (const n of [1, 2, 3]) expect(a.network.send('b', [n])).to.equal(true);
    b.network.send('b', [4]);
    expect(b.told).to.deep.equal([]);
    await turn();
    expect(b.told).to.deep.equal(['+a/1', 'a/1: 1', 'a/1: 2', 'a/1: 3', 'b/1: 4']);
    expect(a.told).to.deep.equal(['+b/1']);
  });

  it('reports a node that left, and a new boot of it after the older one', async () => {
    const hub = new Hub(systemEnvironment);
    const a = node(hub, 'a');
    const b = node(hub, 'b');
    await turn();
    const newer = node(hub, 'b', '2');
    expect(b.network.send('a', [1])).to.equal(false);
    newer.network.send('a', [2]);
    await turn();
    expect(a.told).to.deep.equal(['+b/1', '-b/1', '+b/2', 'b/2: 2']);
    newer.network.crash(true);
    expect(a.network.send('b', [3])).to.equal(false);
    await turn();
    expect(a.told).to.have.length(4);
  });

  it('loses what is under way when two nodes are cut off, and connects them again', async () => {
    const hub = new Hub(systemEnvironment);
    const a = node(hub, 'a');
    const b = node(hub, 'b');
    await turn();
    a.network.send('b', [1]);
    hub.sever('a', 'b');
    expect(a.network.send('b', [2])).to.equal(false);
    hub.restore('a', 'b');
    a.network.send('b', [3]);
    await turn();
    expect(b.told).to.deep.equal(['+a/1', '-a/1', '+a/1', 'a/1: 3']);
    expect(a.told).to.deep.equal(['+b/1', '-b/1', '+b/1']);
  });

  it('lets a simulator delay and drop messages', async () => {
    const held: (() => void)[] = [];
    const route: Route = (_from, _to, message: Message, deliver) => {
      if (message[0] !== 13) held.push(deliver);
    };
    const hub = new Hub(systemEnvironment, route);
    const a = node(hub, 'a');
    const b = node(hub, 'b');
    for (const n of [1, 13, 2]) a.network.send('b', [n]);
    await turn();
    expect(b.told).to.deep.equal(['+a/1']);
    for (const deliver of held) deliver();
    expect(b.told).to.deep.equal(['+a/1', 'a/1: 1', 'a/1: 2']);
    b.network.crash();
    held[0]!();
    expect(b.told).to.have.length(3);
  });
});
