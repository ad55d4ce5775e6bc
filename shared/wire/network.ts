import type { Role } from '../cluster.js';
import type { Message } from './messages.js';

/** Who a message came from, as its handshake said. */
export interface Origin {
  readonly node: string;
  readonly boot: string;
  readonly role: Role;
}

/**
 * Ordered, unreliable delivery between named nodes: a message arrives at most once and, while one
 * connection lives, in order; when it breaks, what was under way is lost. TCP, the in-process
 * transport and the simulator implement it.
 */
export interface Network {
  /** This node, as peers see it. */
  readonly self: Origin;
  /** Called for every message, in order per sender. Set once, before `start`. */
  onMessage: (from: Origin, message: Message) => void;
  /** A connection to this peer is up (again) or was lost; what was sent before may be lost. */
  onConnected: (peer: Origin) => void;
  onDisconnected: (peer: Origin) => void;
  /** Where a node listens. A node without an address is reached only through a connection it opened. */
  setAddress(node: string, host: string, port: number): void;
  /**
   * Queues a message; frames leave once per event-loop turn. False: there is no connection (one is
   * being opened if an address is known) and the message is dropped.
   */
  send(node: string, message: Message): boolean;
  /** Bytes queued for this node and not yet taken by the kernel. Senders of bulk stop above a limit of theirs. */
  queuedBytes(node: string): number;
  /** True while a large frame from this node is on its way in: what was sent after it, it cannot have brought yet. */
  receiving(node: string): boolean;
  close(): Promise<void>;
}
