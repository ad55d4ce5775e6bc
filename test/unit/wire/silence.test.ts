/** What the network does about peers that say nothing, on a clock that the test moves. */
import * as net from 'node:net';
import { expect } from 'chai';
import { type Environment, systemEnvironment } from '../../../shared/environment.js';
import { limits } from '../../../shared/limits.js';
import { silentLogger } from '../../../shared/logging.js';
import { FramePool, rawFrame } from '../../../shared/wire/framing.js';
import { Link } from '../../../shared/wire/link.js';
import { TcpNetwork } from '../../../shared/wire/tcp.js';

const host = '127.0.0.1';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const self = { node: 'a', boot: '1-a', role: 'server' } as const;

describe('tcp network: silence', () => {
  let nowMs: number;
  let environment: Environment;
  let timers: { at: number; run: () => void }[];
  let network: TcpNetwork;
  let told: string[];
  const sockets: net.Socket[] = [];

  const advance = (ms: number): void => {
    nowMs += ms;
    const due = timers.filter(({ at }) => at <= nowMs);
    timers = timers.filter(({ at }) => at > nowMs);
    for (const { run } of due) run();
  };
  const stranger = async (): Promise<{ socket: net.Socket; received: Buffer[]; closed: () => boolean }> => {
    const socket = net.connect(network.port, host);
    sockets.push(socket);
    const received: Buffer[] = [];
    let closed = false;
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed = true;
    });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return { socket, received, closed: () => closed };
  };
  const peer = async (): ReturnType<typeof stranger> => {
    const one = await stranger();
    const hello = { step: 'hello', protocol: 1, cluster: 'c', node: 'x', boot: '1-a', role: 'proxy', challenge: '00' };
    one.socket.write(rawFrame(Buffer.from(JSON.stringify(hello))));
    one.socket.write(rawFrame(Buffer.from('{"step":"ready","proof":""}')));
    await until(() => told.length > 0);
    return one;
  };

  beforeEach(async () => {
    nowMs = 0;
    timers = [];
    told = [];
    environment = {
      ...systemEnvironment,
      monotonicMs: () => nowMs,
      after: (delayMs, run) => {
        const timer = { at: nowMs + delayMs, run };
        timers.push(timer);
        return {
          cancel: () => {
            timers = timers.filter((each) => each !== timer);
          },
        };
      },
    };
    network = new TcpNetwork({
      environment,
      self,
      cluster: 'c',
      secret: '',
      logger: silentLogger,
      listen: { host, port: 0 },
    });
    network.onConnected = ({ node }) => told.push(`+${node}`);
    network.onDisconnected = ({ node }) => told.push(`-${node}`);
    await network.start();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await network.close();
  });

  it('closes a connection that does not say who it is', async () => {
    const { closed } = await stranger();
    // The other end is accepted in a turn of its own, and then has a deadline.
    await until(() => timers.length > 1);
    advance(limits.handshakeMs);
    await until(closed);
  });

  it('shows that it lives, and gives up a peer that shows nothing', async () => {
    const { received, closed } = await peer();
    await until(() => Buffer.concat(received).includes('ready'));
    const before = Buffer.concat(received).length;
    advance(limits.keepaliveMs);
    await until(() => Buffer.concat(received).length > before);
    while (nowMs <= limits.linkSilenceMs) advance(limits.keepaliveMs);
    await until(closed);
    expect(told).to.deep.equal(['+x', '-x']);
  });

  it('says that a large frame is on its way in, until it is there, or nothing comes any more', async () => {
    const { socket } = await peer();
    const useThisLink = Buffer.from([0x91, 0x92, 0, 1]);
    socket.write(rawFrame(useThisLink));
    const frame = rawFrame(Buffer.concat([Buffer.from([0x91, 0x92, 5, 0xc6, 0, 0x80, 0, 0]), Buffer.alloc(8 << 20)]));
    expect(network.receiving('x')).to.equal(false);
    socket.write(frame.subarray(0, 4 << 20));
    await until(() => network.receiving('x'));
    advance(limits.frameStallMs);
    expect(network.receiving('x'), 'nothing comes').to.equal(false);
    socket.write(frame.subarray(4 << 20, 6 << 20));
    await until(() => network.receiving('x'));
    socket.write(frame.subarray(6 << 20));
    await until(() => !network.receiving('x'));
    expect(network.receiving('nobody')).to.equal(false);
  });

  it('does not blame a peer for the time in which it stood still itself', async () => {
    const { received } = await peer();
    await until(() => Buffer.concat(received).includes('ready'));
    const before = Buffer.concat(received).length;
    advance(10 * limits.linkSilenceMs);
    await until(() => Buffer.concat(received).length > before);
    expect(told).to.deep.equal(['+x']);
  });

  it('gives up making a connection that is not made in time', async () => {
    // a socket that never connects, as when packets are lost
    const dialer = new Link(
      new net.Socket(),
      'dialer',
      'somewhere',
      { environment, self, cluster: 'c', secret: '', pool: new FramePool() },
      {
        onHello: () => null,
        onReady: () => told.push('ready'),
        onMessages: () => undefined,
        onClosed: (_link, refusal, error) => told.push(`closed: ${refusal}${error?.message ?? ''}`),
        onGathering: () => undefined,
      },
    );
    expect(dialer.ready).to.equal(false);
    advance(limits.connectMs - 1);
    expect(told).to.deep.equal([]);
    advance(1);
    expect(told).to.deep.equal(['closed: no connection in time']);
  });

  it('closes newcomers while too many have not said who they are, and takes others afterwards', async () => {
    const waiting = await Promise.all(Array.from({ length: limits.strangers }, stranger));
    await until(() => timers.length > limits.strangers);
    const { closed } = await stranger();
    await until(closed);
    for (const { socket } of waiting) socket.destroy();
    await until(() => timers.length === 1);
    await peer();
    expect(told).to.deep.equal(['+x']);
  });
});
