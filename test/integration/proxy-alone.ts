/** A proxy on a free port whose servers are functions: for what does not depend on data. */
import { Proxy } from '../../proxy/proxy.js';
import { systemEnvironment } from '../../shared/environment.js';
import { silentLogger } from '../../shared/logging.js';
import {
  FakeNetwork,
  keepUsersAt,
  MemoryPartition,
  partitionAt,
  serveAt,
  serverOrigin,
  viewOf,
} from '../unit/proxy/memory-partition.js';

export async function startProxyAlone(): Promise<Proxy> {
  const network = new FakeNetwork();
  serveAt(network, new MemoryPartition());
  const options = {
    host: '127.0.0.1',
    port: 0,
    metaHost: 'meta',
    metaPort: 1,
    table: 'default',
    requirepass: '',
    machine: 'here',
    hooks: { shutdown: () => undefined },
  };
  const proxy = new Proxy(systemEnvironment, network, options, silentLogger);
  network.connect(serverOrigin('a'));
  keepUsersAt(network);
  network.view(viewOf([partitionAt('a')]));
  await new Promise<void>((resolve) => proxy.start(() => resolve()));
  return proxy;
}
