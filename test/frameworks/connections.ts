/** Clients of the programs here, closed after each of them however it ended: an open one would keep the process up. */
import { Redis } from 'ioredis';
import { createClient } from 'redis';

const closing: (() => unknown)[] = [];

/** To be done after the test. */
export function afterwards(close: () => unknown): void {
  closing.push(close);
}

export interface Options {
  readonly db?: number;
  readonly keyPrefix?: string;
  readonly scripts?: Record<string, { readonly numberOfKeys: number; readonly lua: string }>;
}

export function ioredis(port: number, options: Options = {}): Redis {
  const client = new Redis(port, options);
  afterwards(() => client.disconnect());
  return client;
}

export function nodeRedis(port: number, database = 0, RESP: 2 | 3 = 2): ReturnType<typeof createClient> {
  const client = createClient({ url: `redis://127.0.0.1:${port}/${database}`, RESP });
  afterwards(() => {
    if (client.isOpen) client.destroy();
  });
  return client as unknown as ReturnType<typeof createClient>;
}

export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}
