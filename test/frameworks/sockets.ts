/** Two socket.io servers that know of each other through the Redis adapter: what one says, clients of the other hear. */
import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { WebSocket } from 'ws';
import { eventually } from '../cluster/condition.js';
import { afterwards, ioredis } from './connections.js';

type MakeAdapter = (
  publisher: Redis,
  subscriber: Redis,
) => ReturnType<typeof createAdapter | typeof createShardedAdapter>;

/** One process of a service, as far as others can tell. */
class Service {
  readonly io: Server;
  readonly heard: string[] = [];
  private readonly http: HttpServer;

  private constructor(port: number, makeAdapter: MakeAdapter) {
    const [publisher, subscriber] = [ioredis(port), ioredis(port)];
    this.http = createServer();
    this.io = new Server(this.http, { adapter: makeAdapter(publisher, subscriber) });
    this.io.on('connection', (socket) => socket.join('room'));
    this.io.on('greeting', (text: string) => this.heard.push(text));
    afterwards(() => this.io.close());
  }

  static async start(port: number, makeAdapter: MakeAdapter): Promise<Service> {
    const service = new Service(port, makeAdapter);
    service.http.listen(0, '127.0.0.1');
    await once(service.http, 'listening');
    return service;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }
}

/** As much of socket.io's protocol as it takes to hear events. */
async function listenTo(port: number): Promise<{ heard: string[]; close: () => void }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  afterwards(() => socket.terminate());
  const heard: string[] = [];
  let connected = false;
  socket.on('message', (data: Buffer) => {
    const packet = String(data);
    if (packet.startsWith('0')) socket.send('40');
    else if (packet === '2') socket.send('3');
    else if (packet.startsWith('40')) connected = true;
    else if (packet.startsWith('42')) heard.push(packet.slice(2));
  });
  await once(socket, 'open');
  await eventually('socket.io has let the client in', () => (connected ? true : undefined));
  return { heard, close: () => socket.close() };
}

export function socketPrograms(port: () => number): void {
  const adapters: Readonly<Record<string, MakeAdapter>> = {
    '@socket.io/redis-adapter': (publisher, subscriber) => createAdapter(publisher, subscriber),
    'its sharded adapter': (publisher, subscriber) => createShardedAdapter(publisher, subscriber),
  };
  for (const [name, makeAdapter] of Object.entries(adapters)) {
    describe(name, () => {
      it('carries events between servers', async () => {
        const one = await Service.start(port(), makeAdapter);
        const two = await Service.start(port(), makeAdapter);
        const listener = await listenTo(two.port);
        await eventually('the servers see each other', async () =>
          (await one.io.fetchSockets()).length === 1 ? true : undefined,
        );
        one.io.emit('news', 'to all');
        one.io.to('room').emit('news', 'to a room');
        one.io.to('nobody').emit('news', 'to nobody');
        await eventually('both are heard', () => (listener.heard.length === 2 ? true : undefined));
        expect(listener.heard).to.deep.equal(['["news","to all"]', '["news","to a room"]']);
        one.io.serverSideEmit('greeting', 'hello');
        await eventually('the other server heard', () => (two.heard.length === 1 ? true : undefined));
        expect(one.heard).to.deep.equal([]);
        one.io.disconnectSockets();
        await eventually('the client is gone', async () =>
          (await one.io.fetchSockets()).length === 0 ? true : undefined,
        );
        listener.close();
      });
    });
  }
}
