/**
 * Ports of a local cluster besides the one for clients: looked for below the range from which the kernel
 * takes ports for outgoing connections, so that none of those sits on a port while its owner restarts.
 * Where the search begins depends on the folder: two clusters started at once do not meet.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;

export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Keeps `wanted` where it is free. `taken` grows by the result. */
export async function choosePort(
  host: string,
  wanted: number | undefined,
  seed: string,
  taken: Set<number>,
): Promise<number> {
  const start = createHash('sha256').update(seed).digest().readUInt32LE(0) % (LAST - FIRST);
  const candidates = [wanted ?? FIRST + start];
  for (let i = 0; i < LAST - FIRST; i++) candidates.push(FIRST + ((start + i) % (LAST - FIRST)));
  for (const port of candidates) {
    if (!taken.has(port) && (await isFree(host, port))) {
      taken.add(port);
      return port;
    }
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} on ${host}`);
}
