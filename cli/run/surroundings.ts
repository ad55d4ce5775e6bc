/** What the roles of a process share, and what each derives from its settings: its name, its folder, its network. */
import { join } from 'node:path';
import type { NodeInfo, Role } from '../../shared/cluster.js';
import type { Settings } from '../../shared/config/options.js';
import { systemEnvironment as environment } from '../../shared/environment.js';
import type { Logger } from '../../shared/logging.js';
import type { Hub } from '../../shared/wire/memory.js';
import type { Origin } from '../../shared/wire/network.js';
import { TcpNetwork } from '../../shared/wire/tcp.js';

export interface Surroundings {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Through it the roles of one process reach each other. */
  readonly hub: Hub;
  readonly fail: (error: Error) => void;
  /** A client asked for the end of it all. */
  readonly shutdown: () => void;
}

export function networkOf(
  self: Origin,
  settings: Settings,
  logger: Logger,
  hub: Hub,
  listen?: { host: string; port: number },
): TcpNetwork {
  const { clusterId: cluster, secret } = settings;
  return new TcpNetwork({
    environment,
    self,
    cluster,
    secret,
    logger,
    hub,
    ...(listen === undefined ? {} : { listen }),
  });
}

export function describe(self: Origin, settings: Settings, port: number, state: NodeInfo['state']): NodeInfo {
  const { advertise, host, machine } = settings;
  return { ...self, host: advertise === '' ? host : advertise, port, machine, pid: process.pid, state };
}

/** With one role a process bears the name it was given; with several each role needs its own. */
export function nameOf(role: Role, { roles, node }: Settings): string {
  return roles.length === 1 ? node : `${node}-${role}`;
}

export function folderOf(role: Role, { roles, dir }: Settings): string {
  return roles.length === 1 ? dir : join(dir, role);
}

export function addressOf(address: string): { host: string; port: number } {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  return { host, port: Number(port) };
}

export function completed(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error === null ? resolve() : reject(error))));
}
