/**
 * What people build on Redis, unchanged, on a cluster as `npm start` runs it: small programs with the packages of npm
 * that lean hardest on Redis, and with its own tools.
 */
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { bullmqPrograms } from './bullmq.js';
import { clientPrograms } from './clients.js';
import { closeAll } from './connections.js';
import { limiterPrograms } from './limits-and-locks.js';
import { redisCliPrograms } from './redis-cli.js';
import { sessionPrograms } from './sessions.js';
import { socketPrograms } from './sockets.js';

describe('on a cluster', function () {
  this.timeout(60_000);
  let cluster: LocalCluster;
  const port = (): number => cluster.port;

  before(async () => {
    cluster = await startLocalCluster();
  });

  afterEach(closeAll);

  after(() => cluster.stop());

  bullmqPrograms(port);
  sessionPrograms(port);
  limiterPrograms(port);
  socketPrograms(port);
  redisCliPrograms(port);
  clientPrograms(port);
});
