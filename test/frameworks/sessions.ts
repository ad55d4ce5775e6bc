/** Sessions of express-session in connect-redis's store, behind a plain HTTP server. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { RedisStore } from 'connect-redis';
import session, { type SessionRequest } from 'express-session';
import { afterwards, nodeRedis } from './connections.js';

export function sessionPrograms(port: () => number): void {
  describe('connect-redis', () => {
    it('keeps sessions, lists and ends them', async () => {
      const client = nodeRedis(port());
      await client.connect();
      const store = new RedisStore({ client, prefix: 'session:', ttl: 100 });
      const sessions = session({ store, secret: 'secret', resave: false, saveUninitialized: false });
      const server = createServer((request, response) => {
        sessions(request, response, (error) => {
          if (error !== undefined) {
            response.statusCode = 500;
            response.end(error.message);
            return;
          }
          const visitor = (request as SessionRequest).session;
          if (request.url === '/leave') {
            visitor.destroy(() => response.end('gone'));
            return;
          }
          visitor.visits = (visitor.visits ?? 0) + 1;
          response.end(String(visitor.visits));
        });
      }).listen(0, '127.0.0.1');
      afterwards(() => {
        server.closeAllConnections();
        server.close();
      });
      await once(server, 'listening');
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const visit = async (path: string, cookie: string): Promise<{ text: string; cookie: string }> => {
        const response = await fetch(`${address}${path}`, { headers: { cookie } });
        return { text: await response.text(), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie };
      };
      const first = await visit('/', '');
      expect(first.text).to.equal('1');
      for (const expected of ['2', '3']) expect((await visit('/', first.cookie)).text).to.equal(expected);
      const other = await visit('/', '');
      expect(other.text).to.equal('1');
      expect(await store.length()).to.equal(2);
      expect((await store.ids()).length).to.equal(2);
      const [key = ''] = await client.keys('session:*');
      expect(await client.ttl(key)).to.be.within(90, 100);
      expect((await visit('/leave', first.cookie)).text).to.equal('gone');
      expect((await visit('/', first.cookie)).text).to.equal('1');
      await store.clear();
      expect(await store.length()).to.equal(0);
      await client.close();
    });
  });
}
