/** A real redis-server beside the tests of a suite, which are skipped where there is none. */
import { isInstalled } from '../../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../../cluster/redis-server.js';
import { RawConnection } from './raw-connection.js';

/** Called within `describe`. The connection is there from the suite's first test on. */
export function redisBeside(): { readonly send: RawConnection['send'] } {
  let server: RedisServer;
  let redis: RawConnection;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    server = await startRedisServer();
    redis = await RawConnection.open(server.port);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    redis.close();
    await server.stop();
  });

  return { send: (words) => redis.send(words) };
}
