/** Whether a local cluster can be used: meta says that every partition is whole and served, and the proxy answers a PING. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterStatus } from '../../meta/admin.js';

const POLL_MS = 50;
const ANSWER_MS = 2_000;

/** `onWaiting` is called with what is missing, each time it is looked. Ends early when `signal` aborts. */
export async function untilReady(
  http: string,
  resp: string,
  signal: AbortSignal,
  onWaiting: (what: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    const missing = await whatIsMissing(http, resp);
    if (missing === null) return;
    onWaiting(missing);
    await sleep(POLL_MS);
  }
}

async function whatIsMissing(http: string, resp: string): Promise<string | null> {
  let status: ClusterStatus;
  try {
    const response = await fetch(`http://${http}/api/status`, { signal: AbortSignal.timeout(ANSWER_MS) });
    status = (await response.json()) as ClusterStatus;
  } catch {
    // Whatever the reason, the answer is the same: it is asked again.
    return 'meta to answer';
  }
  if (status.ready) return (await ping(resp)) ? null : 'the proxy to answer';
  const [first] = status.waiting;
  if (first !== undefined) return `partition ${first.partition}: ${first.reason} (${first.nodes.join(', ')})`;
  if (status.partitions === 0) return 'the servers to register';
  if (status.serving < status.partitions)
    return `${status.partitions - status.serving} of ${status.partitions} partitions to be served`;
  if (status.full < status.partitions)
    return `${status.partitions - status.full} of ${status.partitions} partitions to get all their replicas`;
  return 'the proxy to register';
}

/** True for any RESP answer: with a password set it is an error, from a proxy that works. */
function ping(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: ANSWER_MS });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
