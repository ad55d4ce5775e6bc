/** The roles by name. Each is loaded when it is run: a server that was killed is back sooner without the proxy's code. */
import type { Role } from '../../shared/cluster.js';
import type { RunningRole } from './lifecycle.js';
import type { Surroundings } from './surroundings.js';

export async function startRole(role: Role, surroundings: Surroundings): Promise<RunningRole> {
  switch (role) {
    case 'meta':
      return (await import('./meta-role.js')).startMeta(surroundings);
    case 'server':
      return (await import('./server-role.js')).startServer(surroundings);
    case 'proxy':
      return (await import('./proxy-role.js')).startProxy(surroundings);
  }
}
