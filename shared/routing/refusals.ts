/** What a refusal (Status.retry) asks of the router. */
import type { RetryReason } from '../wire/messages.js';

/**
 * It concerns one connection: the server refuses what that sent behind the refused request too, until it comes again.
 * Others' requests are answered where they are.
 */
const OF_CONNECTION: ReadonlySet<RetryReason> = new Set<RetryReason>([
  'not-enough-replicas',
  'wrong-range',
  'behind-refused',
  'fenced',
]);

/** It is over once we have settled again, or have another session: there is nothing to wait for. */
const OF_SESSION: ReadonlySet<RetryReason> = new Set<RetryReason>(['unknown-session', 'not-settled']);

export function concernsConnection(reason: RetryReason): boolean {
  return OF_CONNECTION.has(reason);
}

export function concernsSession(reason: RetryReason): boolean {
  return OF_SESSION.has(reason);
}
