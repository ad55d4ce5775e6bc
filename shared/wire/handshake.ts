/**
 * How two nodes make sure of each other before anything else is said. Both sides do the same, so that it does not matter who dialed:
 *
 *   hello   who I am, which cluster and protocol, and a random challenge
 *   ready   the proof that I know the cluster's secret: an HMAC over both challenges and my name
 *   refuse  why not, before closing
 *
 * Each is one frame of JSON: bytes of strangers never reach the msgpack decoder. The secret itself does not travel. The proof
 * names the side that made it, so that it cannot be sent back to whom it came from.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../cluster.js';
import { PROTOCOL_VERSION } from './messages.js';
import type { Origin } from './network.js';

export interface Hello {
  readonly step: 'hello';
  readonly protocol: number;
  readonly cluster: string;
  readonly node: string;
  readonly boot: string;
  readonly role: Role;
  readonly challenge: string;
}

export interface Ready {
  readonly step: 'ready';
  readonly proof: string;
}

export interface Refuse {
  readonly step: 'refuse';
  readonly reason: string;
}

export type Step = Hello | Ready | Refuse;

export type Side = 'dialer' | 'listener';

const ROLES: readonly string[] = ['meta', 'server', 'proxy'];
const NAME_LENGTH_MAX = 256;

export function hello(self: Origin, cluster: string): Hello {
  return {
    step: 'hello',
    protocol: PROTOCOL_VERSION,
    cluster,
    node: self.node,
    boot: self.boot,
    role: self.role,
    challenge: randomBytes(16).toString('hex'),
  };
}

export function encodeStep(step: Step): Buffer {
  return Buffer.from(JSON.stringify(step));
}

/** Null: garbage. */
export function decodeStep(payload: Buffer): Step | null {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    return null; // whatever it was, it is no step
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Record<string, unknown>;
  const isText = (name: string): boolean => {
    const text = fields[name];
    return typeof text === 'string' && text.length <= NAME_LENGTH_MAX;
  };
  switch (fields['step']) {
    case 'hello': {
      const named = ['cluster', 'node', 'boot', 'role', 'challenge'].every(isText);
      return named && typeof fields['protocol'] === 'number' && fields['node'] !== '' ? (value as Hello) : null;
    }
    case 'ready':
      return isText('proof') ? (value as Ready) : null;
    case 'refuse':
      return isText('reason') ? (value as Refuse) : null;
    default:
      return null;
  }
}

/** Why the peer that says this cannot be talked to; null when it can. */
export function objection(mine: Hello, theirs: Hello): string | null {
  if (theirs.protocol !== mine.protocol) return `protocol version ${theirs.protocol}, ours is ${mine.protocol}`;
  if (theirs.cluster !== mine.cluster) return `cluster '${theirs.cluster}', ours is '${mine.cluster}'`;
  if (!ROLES.includes(theirs.role)) return `unknown role '${theirs.role}'`;
  if (theirs.node === mine.node) return `node '${theirs.node}' is our own name`;
  return null;
}

/** What `prover`, on its side of the connection, shows to `verifier`. */
export function proof(secret: string, side: Side, prover: Hello, verifier: Hello): string {
  const statement = JSON.stringify([
    side,
    prover.cluster,
    prover.node,
    prover.boot,
    prover.role,
    prover.challenge,
    verifier.node,
    verifier.challenge,
  ]);
  return createHmac('sha256', secret).update(statement).digest('hex');
}

export function isProof(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
