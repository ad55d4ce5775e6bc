/** How much a partition may hold, and what goes when it holds more: maxmemory and its policy. */

/** In the order of numbers, which are stored: never reused. */
export const POLICIES = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;
export type Policy = (typeof POLICIES)[number];

export interface MemoryLimits {
  /** Logical bytes of this partition; 0: no limit. */
  readonly bytes: number;
  readonly policy: Policy;
  /** Of how many rows the best one goes. */
  readonly samples: number;
  /** Of the whole table, as CONFIG SET said it: what CONFIG GET says. */
  readonly maxmemory: number;
}

export const NO_LIMITS: MemoryLimits = { bytes: 0, policy: 'noeviction', samples: 5, maxmemory: 0 };

/** bytes f64 | policy u8 | samples u32 | maxmemory f64 */
export function encodeMemoryLimits({ bytes, policy, samples, maxmemory }: MemoryLimits): Buffer {
  const encoded = Buffer.alloc(21);
  encoded.writeDoubleBE(bytes, 0);
  encoded[8] = POLICIES.indexOf(policy);
  encoded.writeUInt32BE(samples, 9);
  encoded.writeDoubleBE(maxmemory, 13);
  return encoded;
}

export function decodeMemoryLimits(encoded: Buffer): MemoryLimits {
  return {
    bytes: encoded.readDoubleBE(0),
    policy: POLICIES[encoded[8]!] ?? 'noeviction',
    samples: encoded.readUInt32BE(9),
    maxmemory: encoded.readDoubleBE(13),
  };
}
