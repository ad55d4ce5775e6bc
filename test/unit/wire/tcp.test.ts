import * as net from 'node:net';
import { expect } from 'chai';
import { systemEnvironment } from '../../../shared/environment.js';
import { type Logger, silentLogger } from '../../../shared/logging.js';
import { FramePool, FrameWriter, rawFrame } from '../../../shared/wire/framing.js';
import { Hub, MemoryNetwork } from '../../../shared/wire/memory.js';
import type { Message } from '../../../shared/wire/messages.js';
import { TcpNetwork } from '../../../shared/wire/tcp.js';

const host = '127.0.0.1';

interface Node {
  network: TcpNetwork;
  told: string[];
  warnings: string[];
}

/** Waits for a condition, with mocha's deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('tcp network', () => {
  const nodes: Node[] = [];
  const sockets: net.Socket[] = [];
  const start = async (
    name: string,
    more: { boot?: string; cluster?: string; secret?: string; hub?: Hub; port?: number; deaf?: boolean } = {},
  ): Promise<Node> => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(JSON.stringify(fields)) };
    const network = new TcpNetwork({
      environment: systemEnvironment,
      self: { node: name, boot: more.boot ?? '100-a', role: 'server' },
      cluster: more.cluster ?? 'test',
      secret: more.secret ?? '',
      logger,
      ...(more.deaf === true ? {} : { listen: { host, port: more.port ?? 0 } }),
      ...(more.hub === undefined ? {} : { hub: more.hub }),
    });
    const told: string[] = [];
    network.onMessage = (from, message) =>
      told.push(`${from.node}: ${message.map((part) => (Buffer.isBuffer(part) ? part.length : part)).join(' ')}`);
    network.onConnected = (peer) => told.push(`+${peer.node}/${peer.boot}`);
    network.onDisconnected = (peer) => told.push(`-${peer.node}/${peer.boot}`);
    await network.start();
    const node = { network, told, warnings };
    nodes.push(node);
    return node;
  };
  /** Sends as soon as there is a connection. */
  const sendSoon = (from: Node, to: string, message: Message): Promise<void> =>
    until(() => from.network.send(to, message));
  const introduce = (from: Node, name: string, to: Node): void => from.network.setAddress(name, host, to.network.port);
  const stranger = (port: number): { socket: net.Socket; received: () => string; closed: () => boolean } => {
    const socket = net.connect(port, host);
    sockets.push(socket);
    let received = '';
    let closed = false;
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed = true;
    });
    return { socket, received: () => received, closed: () => closed };
  };
  const helloFrame = (fields: object): Buffer =>
    rawFrame(
      Buffer.from(
        JSON.stringify({
          step: 'hello',
          protocol: 1,
          cluster: 'test',
          node: 'x',
          boot: '1-a',
          role: 'proxy',
          challenge: '00',
          ...fields,
        }),
      ),
    );

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(nodes.splice(0).map(({ network }) => network.close()));
  });

  it('dials on the first send, tells both sides, and delivers in order both ways', async () => {
    const [a, b] = [await start('a'), await start('b')];
    expect(a.network.send('b', [1])).to.equal(false);
    introduce(a, 'b', b);
    await sendSoon(a, 'b', [1, 'first']);
    for (let n = 2; n <= 2000; n++) expect(a.network.send('b', [n, Buffer.alloc(n % 700)])).to.equal(true);
    await until(() => b.told.length === 2001);
    expect(b.told.slice(0, 3)).to.deep.equal(['+a/100-a', 'a: 1 first', 'a: 2 2']);
    expect(b.told.slice(1).map((line) => Number(line.split(' ')[1]))).to.deep.equal(
      Array.from({ length: 2000 }, (_, i) => i + 1),
    );
    expect(b.network.send('a', [7])).to.equal(true);
    await until(() => a.told.includes('b: 7'));
    expect(a.told).to.deep.equal(['+b/100-a', 'b: 7']);
  });

  it('carries large and small messages mixed, and says how much is queued', async () => {
    const [a, b] = [await start('a'), await start('b')];
    introduce(a, 'b', b);
    await sendSoon(a, 'b', [99]);
    for (let n = 1; n <= 30; n++) a.network.send('b', [n, Buffer.alloc(n % 3 === 0 ? 2_000_000 : 10)]);
    expect(a.network.queuedBytes('b')).to.be.greaterThan(1_000_000);
    await until(() => b.told.length === 32);
    expect(b.told.slice(2)).to.deep.equal(
      Array.from({ length: 30 }, (_, i) => `a: ${i + 1} ${(i + 1) % 3 === 0 ? 2_000_000 : 10}`),
    );
    await until(() => a.network.queuedBytes('b') === 0);
    expect(a.network.queuedBytes('nobody')).to.equal(0);
  });

  it('keeps the order when both dial each other at once', async () => {
    const [a, b] = [await start('a'), await start('b')];
    introduce(a, 'b', b);
    introduce(b, 'a', a);
    a.network.send('b', [0]);
    b.network.send('a', [0]);
    await Promise.all([sendSoon(a, 'b', [1]), sendSoon(b, 'a', [1])]);
    for (let n = 2; n <= 500; n++) {
      a.network.send('b', [n]);
      b.network.send('a', [n]);
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const numbers = Array.from({ length: 500 }, (_, i) => i + 1);
    for (const node of [a, b]) {
      const other = node === a ? 'b' : 'a';
      await until(() => node.told.length >= 501);
      expect(node.told).to.deep.equal([`+${other}/100-a`, ...numbers.map((n) => `${other}: ${n}`)]);
    }
  });

  it('connects again to a restarted node, reporting the old boot first', async () => {
    const a = await start('a');
    const old = await start('b', { boot: '100-x' });
    const { port } = old.network;
    introduce(a, 'b', old);
    await sendSoon(a, 'b', [1]);
    await old.network.close();
    await until(() => a.told.includes('-b/100-x'));
    expect(a.network.send('b', [2])).to.equal(false);
    const newer = await start('b', { boot: '200-y', port });
    await sendSoon(a, 'b', [3]);
    await until(() => newer.told.includes('a: 3'));
    expect(a.told).to.deep.equal(['+b/100-x', '-b/100-x', '+b/200-y']);
  });

  it('replaces the links of an older boot that still lives, and refuses that boot from then on', async () => {
    const a = await start('a');
    const old = await start('b', { boot: '100-x', deaf: true });
    introduce(old, 'a', a);
    await sendSoon(old, 'a', [1]);
    await until(() => a.told.includes('b: 1'));
    const newer = await start('b', { boot: '200-y', deaf: true });
    introduce(newer, 'a', a);
    await sendSoon(newer, 'a', [2]);
    await until(() => a.told.includes('b: 2'));
    await until(() => old.warnings.length > 0 || old.network.send('a', [3]));
    await until(() => old.warnings.length > 0);
    expect(old.warnings[0]).to.contain('boot 100-x of b is over');
    expect(a.told).to.deep.equal(['+b/100-x', 'b: 1', '-b/100-x', '+b/200-y', 'b: 2']);
  });

  it('follows a node to a new address', async () => {
    const a = await start('a');
    const closed = net.createServer();
    const deadPort = await new Promise<number>((resolve) =>
      closed.listen(0, host, () => resolve((closed.address() as net.AddressInfo).port)),
    );
    await new Promise((resolve) => closed.close(resolve));
    a.network.setAddress('b', host, deadPort);
    expect(a.network.send('b', [1])).to.equal(false);
    const b = await start('b');
    introduce(a, 'b', b);
    await sendSoon(a, 'b', [2]);
    await until(() => b.told.includes('a: 2'));
  });

  it('reaches nodes of the same process through the hub, and others by TCP', async () => {
    const hub = new Hub(systemEnvironment);
    const [a, b] = [await start('a', { hub }), await start('b')];
    const local = new MemoryNetwork({ node: 'c', boot: '1', role: 'proxy' }, hub);
    const told: string[] = [];
    local.onMessage = (from, message) => told.push(`${from.node}: ${message.join(' ')}`);
    local.start();
    introduce(a, 'b', b);
    expect(a.network.send('c', [1])).to.equal(true);
    expect(a.network.send('a', [2])).to.equal(true);
    await sendSoon(a, 'b', [3]);
    await until(() => told.length === 1 && a.told.includes('a: 2') && b.told.includes('a: 3'));
    expect(told).to.deep.equal(['a: 1']);
    expect(a.told).to.include('+c/1');
  });

  it('talks to those who know the secret, and to nobody else', async () => {
    const a = await start('a', { secret: 'right' });
    const friend = await start('friend', { secret: 'right' });
    introduce(friend, 'a', a);
    await sendSoon(friend, 'a', [1]);
    await until(() => a.told.includes('friend: 1'));
    for (const [name, secret] of [
      ['wrong', 'left'],
      ['none', ''],
    ] as const) {
      const other = await start(name, { secret });
      introduce(other, 'a', a);
      other.network.send('a', [1]);
      await until(() => other.warnings.length > 0 && a.warnings.some((warning) => warning.includes(name)));
      expect(other.network.send('a', [2])).to.equal(false);
    }
    expect(a.told).to.deep.equal(['+friend/100-a', 'friend: 1']);
  });

  it('refuses another cluster and logs it once, however often it tries', async () => {
    const a = await start('a');
    const other = await start('other', { cluster: 'elsewhere' });
    introduce(other, 'a', a);
    other.network.send('a', [1]);
    await until(() => other.warnings.length > 0 && a.warnings.length > 0);
    expect(a.warnings[0]).to.contain("cluster 'elsewhere', ours is 'test'");
    for (let attempt = 0; attempt < 3; attempt++) {
      const { socket, received, closed } = stranger(a.network.port);
      socket.write(helloFrame({ cluster: 'elsewhere', node: 'other' }));
      await until(closed);
      expect(received()).to.contain('refuse').and.not.contain('hello');
    }
    expect(a.warnings).to.have.length(1);
  });

  it('refuses garbage, other protocols and impostors, saying nothing about itself, and goes on serving', async () => {
    const a = await start('a', { secret: 'right' });
    const greeted = helloFrame({});
    const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
    const frames: Record<string, Buffer> = {
      http: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      'a huge length': huge,
      'no json': rawFrame(Buffer.from([0x91, 0x01])),
      'a ready before any hello': rawFrame(Buffer.from('{"step":"ready","proof":""}')),
      'another version': helloFrame({ protocol: 99 }),
      'our own name': helloFrame({ node: 'a' }),
      'no name': helloFrame({ node: '' }),
      'a name that is no text': helloFrame({ node: { toString: 1 } }),
      'an unknown role': helloFrame({ role: 'king' }),
      'two hellos': Buffer.concat([greeted, greeted]),
      'a wrong proof': Buffer.concat([greeted, rawFrame(Buffer.from('{"step":"ready","proof":"00"}'))]),
      'messages before the proof': Buffer.concat([greeted, rawFrame(Buffer.from([0x91, 0x92, 0x01, 0x02]))]),
    };
    for (const [what, bytes] of Object.entries(frames)) {
      const { socket, received, closed } = stranger(a.network.port);
      socket.write(bytes);
      await until(closed);
      expect(received(), what).to.contain('refuse');
    }
    expect(a.told).to.deep.equal([]);
    expect(a.warnings.length).to.be.within(1, 3);
    const friend = await start('friend', { secret: 'right' });
    introduce(friend, 'a', a);
    await sendSoon(friend, 'a', [1]);
    await until(() => a.told.includes('friend: 1'));
  });

  it('closes a link that brings garbage after the handshake, and connects again', async () => {
    const a = await start('a');
    const { socket, received, closed } = stranger(a.network.port);
    socket.write(Buffer.concat([helloFrame({}), rawFrame(Buffer.from('{"step":"ready","proof":""}'))]));
    await until(() => received().includes('ready'));
    const writer = new FrameWriter(new FramePool());
    writer.add([0, 1]);
    writer.add([5, 'good']);
    socket.write(Buffer.concat([...writer.take().chunks, rawFrame(Buffer.from([0xc1, 0xc1]))]));
    await until(closed);
    await until(() => a.told.length === 3);
    expect(a.told).to.deep.equal(['+x/1-a', 'x: 5 good', '-x/1-a']);
  });

  it('takes messages only from the link that was named last', async () => {
    const a = await start('a');
    const connect = async (): Promise<net.Socket> => {
      const { socket, received } = stranger(a.network.port);
      socket.write(Buffer.concat([helloFrame({}), rawFrame(Buffer.from('{"step":"ready","proof":""}'))]));
      await until(() => received().includes('ready'));
      return socket;
    };
    const say = (socket: net.Socket, ...messages: Message[]): void => {
      const writer = new FrameWriter(new FramePool());
      for (const message of messages) writer.add(message);
      socket.write(Buffer.concat(writer.take().chunks));
    };
    const [first, second] = [await connect(), await connect()];
    say(first, [0, 1], [1, 'on the first']);
    await until(() => a.told.length === 2);
    say(second, [0, 2], [2, 'on the second']);
    await until(() => a.told.length === 3);
    say(first, [3, 'too late']);
    first.end();
    say(second, [4, 'still']);
    await until(() => a.told.includes('x: 4 still'));
    expect(a.told).to.deep.equal(['+x/1-a', 'x: 1 on the first', 'x: 2 on the second', 'x: 4 still']);
  });

  it('says E_LISTEN when the port is taken', async () => {
    const a = await start('a');
    const error = await start('b', { port: a.network.port }).catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'E_LISTEN');
  });

  it('drops a message that is no message, and keeps the connection', async () => {
    const [a, b] = [await start('a'), await start('b')];
    introduce(a, 'b', b);
    await sendSoon(a, 'b', [1]);
    expect(() => a.network.send('b', [2, Symbol('x')])).to.throw(/holds no symbol/);
    a.network.send('b', [3]);
    await until(() => b.told.includes('a: 3'));
  });
});
