/**
 * A native client that stays with the primary it knew: what meta tells later does not reach it, and no silence makes it
 * give its connection up. So what it sends while that server is stopped waits in the server's socket, is read when the
 * server goes on, and its answers, were there any, would be seen.
 */
import { randomBytes } from 'node:crypto';
import { TulparClient } from '../../shared/client/client.js';
import type { NodeInfo } from '../../shared/cluster.js';
import { type Environment, systemEnvironment } from '../../shared/environment.js';
import { silentLogger } from '../../shared/logging.js';
import { isReadOnly } from '../../shared/operations/codes.js';
import { Router } from '../../shared/routing/router.js';
import { Kind } from '../../shared/wire/messages.js';
import { TcpNetwork } from '../../shared/wire/tcp.js';
import { eventually } from '../cluster/condition.js';
import type { ChaosCluster } from './cluster.js';

/** For the network only: no time passes, so no link is ever silent for too long. */
const patient: Environment = { ...systemEnvironment, monotonicMs: () => 0 };

export class PinnedClient {
  readonly client: TulparClient;
  private readonly router: Router;
  private frozen = false;

  private constructor(cluster: ChaosCluster, deadlineMs: number) {
    const random = randomBytes(4).toString('hex');
    const node = `pinned-${random}`;
    const boot = `${Date.now()}-${random}`;
    const network = new TcpNetwork({
      environment: patient,
      self: { node, boot, role: 'proxy' },
      cluster: cluster.clusterId,
      secret: cluster.secret,
      logger: silentLogger,
    });
    const [metaHost = '', metaPort = ''] = cluster.metaAddress.split(':');
    const describe = (): NodeInfo => {
      return { node, boot, role: 'proxy', host: '', port: 0, machine: node, pid: process.pid, state: 'alive' };
    };
    this.router = new Router(systemEnvironment, network, {
      metaHost,
      metaPort: Number(metaPort),
      describe,
      isReadOnly,
      deadlineMs,
    });
    const deliver = network.onMessage;
    network.onMessage = (from, message) => {
      if (!this.frozen || message[0] !== Kind.view) deliver(from, message);
    };
    this.client = new TulparClient(systemEnvironment, this.router, {
      deadlineMs,
      release: () => network.close(),
    });
    this.starting = network.start();
  }

  private readonly starting: Promise<void>;

  /** Resolves once it knows the partitions of the table and has frozen that knowledge. */
  static async connect(cluster: ChaosCluster, table: string, deadlineMs: number): Promise<PinnedClient> {
    const pinned = new PinnedClient(cluster, deadlineMs);
    await pinned.starting;
    pinned.router.start();
    const routed = pinned.router.table(table);
    await eventually('the pinned client knows the cluster', () =>
      (routed.bySlot[0] ?? null) === null ? undefined : true,
    );
    pinned.frozen = true;
    return pinned;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
