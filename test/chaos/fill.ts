/**
 * Fills a table with gigabytes in the order of their slots, which is the order in which LevelDB keeps them: it has next
 * to nothing to compact then, and gigabytes take minutes instead of an hour. Values are slices of random bytes, which
 * do not compress: what is to be copied is as large as it says.
 */
import { randomBytes } from 'node:crypto';
import { slotOf } from '../../shared/slots.js';
import { Connection } from './connection.js';

export interface FillOptions {
  readonly host: string;
  readonly port: number;
  readonly keys: number;
  readonly valueBytes: number;
}

const KEYS_AT_ONCE = 50;
const CONNECTIONS = 4;
const POOL_BYTES = 1 << 20;

export function keyName(index: number): string {
  return `key:${String(index).padStart(12, '0')}`;
}

/** Random values of one length; each is another one. */
export class Values {
  private readonly pool: Buffer;
  private readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
    this.pool = randomBytes(POOL_BYTES + bytes);
  }

  at(index: number): Buffer {
    const from = (index * 7_919) % POOL_BYTES;
    return this.pool.subarray(from, from + this.bytes);
  }
}

/** Rejects with the first reply that is no success. */
export async function fill({ host, port, keys, valueBytes }: FillOptions): Promise<void> {
  const slots = Uint16Array.from({ length: keys }, (_, index) => slotOf(Buffer.from(keyName(index))));
  const order = Uint32Array.from({ length: keys }, (_, index) => index).sort(
    (one, other) => (slots[one] ?? 0) - (slots[other] ?? 0),
  );
  const values = new Values(valueBytes);
  let next = 0;
  const write = async (connection: Connection): Promise<void> => {
    while (next < keys) {
      const words: (string | Buffer)[] = ['MSET'];
      for (const end = Math.min(keys, next + KEYS_AT_ONCE); next < end; next++) {
        const index = order[next] ?? 0;
        words.push(keyName(index), values.at(index));
      }
      const reply = await new Promise((resolve) => connection.send(words, resolve));
      if (reply !== 'OK') throw new Error(`filling failed: ${JSON.stringify(reply)}`);
    }
  };
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(host, port)));
  try {
    await Promise.all(connections.map(write));
  } finally {
    for (const connection of connections) connection.end();
  }
}
