/** A proxy on a free port whose servers are functions: for what does not depend on data. */
import { Proxy, type ProxyOptions } from '../../proxy/proxy.js';
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

/** Its one server has all of `partition`, unless the view says otherwise. */
export async function startProxyOn(
  network: FakeNetwork,
  partition: MemoryPartition,
  options: Partial<ProxyOptions> = {},
  view = viewOf([partitionAt('a')]),
): Promise<Proxy> {
  serveAt(network, partition);
  const complete = {
    host: '127.0.0.1',
    port: 0,
    metaHost: 'meta',
    metaPort: 1,
    table: 'default',
    requirepass: '',
    machine: 'here',
    hooks: { shutdown: () => undefined },
    ...options,
  };
  const proxy = new Proxy(systemEnvironment, network, complete, silentLogger);
  network.connect(serverOrigin('a'));
  network.view(view);
  await new Promise<void>((resolve, reject) => proxy.start((error) => (error === null ? resolve() : reject(error))));
  return proxy;
}

/** With a meta that keeps users. */
export function startProxyAlone(): Promise<Proxy> {
  const network = new FakeNetwork();
  keepUsersAt(network);
  return startProxyOn(network, new MemoryPartition());
}
