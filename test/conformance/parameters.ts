/**
 * What a unit leaves behind in the configuration is put back before the next one: Redis's own way to run its suite starts a
 * server for each block of tests, and some units rely on that.
 */
import { Redis } from 'ioredis';

export class Parameters {
  private readonly port: number;
  private readonly first: ReadonlyMap<string, string>;

  private constructor(port: number, first: ReadonlyMap<string, string>) {
    this.port = port;
    this.first = first;
  }

  /** As they are now. */
  static async of(port: number): Promise<Parameters> {
    return new Parameters(port, await connected(port, read));
  }

  async putBack(): Promise<void> {
    await connected(this.port, async (client) => {
      for (const [name, value] of await read(client)) {
        const before = this.first.get(name);
        if (before !== undefined && before !== value) await client.config('SET', name, before);
      }
    });
  }
}

async function read(client: Redis): Promise<ReadonlyMap<string, string>> {
  const words = (await client.config('GET', '*')) as string[];
  return new Map(words.flatMap((name, i) => (i % 2 === 0 ? [[name, words[i + 1] ?? ''] as const] : [])));
}

async function connected<T>(port: number, run: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(port);
  try {
    return await run(client);
  } finally {
    client.disconnect();
  }
}
