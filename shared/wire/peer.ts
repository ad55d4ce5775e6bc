/**
 * What a node knows of one other node: the links between them, and which of them is used. Two nodes may dial each other at the same
 * time and get two links. Each sends on one of them for as long as it lives, and says so on it (`use`, with a number that grows):
 * the other takes messages only from the link named last, so that what a dead link still held cannot come after what a newer one brought.
 */
import type { Timer } from '../environment.js';
import type { Message } from './messages.js';
import type { Origin } from './network.js';

/** Of messages between the two ends of a link; no role sees them. */
const USE_LINK = 0;

/** Boots that were replaced, as many as are remembered. */
const OVER_BOOTS = 16;

/** What is known here of a link; the simulator brings its own. */
export interface PeerLink {
  readonly queuedBytes: number;
  /** A large frame is coming in. */
  readonly receiving: boolean;
  send(message: Message): void;
}

export class Peer<Link extends PeerLink> {
  readonly node: string;
  /** The boot we are, or were last, connected to. */
  origin: Origin | null = null;
  address: { readonly host: string; readonly port: number } | null = null;
  readonly links = new Set<Link>();
  #sending: Link | null = null;
  #sendingNumber = 0;
  #receiving: Link | null = null;
  #receivingNumber = 0;
  #overBoots: string[] = [];

  // The attempt to reach it: at most one of `dialing` and `waiting` is set.
  dialing: Link | null = null;
  waiting: Timer | null = null;
  failedAttempts = 0;
  /** Somebody wanted to send since the last attempt. */
  wanted = false;

  constructor(node: string) {
    this.node = node;
  }

  /** The link to send on, null when there is none. */
  link(): Link | null {
    if (this.#sending !== null) return this.#sending;
    for (const link of this.links) {
      this.#sending = link;
      link.send([USE_LINK, ++this.#sendingNumber]);
      return link;
    }
    return null;
  }

  /** True when the message is for the roles. */
  accepts(link: Link, message: Message): boolean {
    if (message[0] !== USE_LINK) return link === this.#receiving;
    const number = message[1];
    if (typeof number === 'number' && number > this.#receivingNumber) {
      this.#receivingNumber = number;
      this.#receiving = link;
    }
    return false;
  }

  /** A link is gone. True when messages may have been lost with it. */
  drop(link: Link): boolean {
    const used = link === this.#sending || link === this.#receiving;
    this.links.delete(link);
    if (link === this.#sending) this.#sending = null;
    if (link === this.#receiving) this.#receiving = null;
    return used;
  }

  queuedBytes(): number {
    return this.#sending?.queuedBytes ?? 0;
  }

  receiving(): boolean {
    return this.#receiving?.receiving ?? false;
  }

  isOver(boot: string): boolean {
    if (this.origin === null || this.origin.boot === boot) return false;
    return this.#overBoots.includes(boot) || isOlderBoot(boot, this.origin.boot);
  }

  /** From now on we talk to this boot. */
  become(origin: Origin): void {
    if (this.origin !== null && this.origin.boot !== origin.boot) {
      this.#overBoots = [...this.#overBoots.slice(1 - OVER_BOOTS), this.origin.boot];
      this.#sendingNumber = 0;
      this.#receivingNumber = 0;
    }
    this.origin = origin;
  }
}

/** Boots are `<start time in ms>-<random>`, growing from boot to boot; of other names nothing is known. */
function isOlderBoot(boot: string, than: string): boolean {
  const [a, b] = [/^(\d{1,15})-/.exec(boot), /^(\d{1,15})-/.exec(than)];
  return a !== null && b !== null && Number(a[1]) < Number(b[1]);
}
