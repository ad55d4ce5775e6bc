/**
 * The load of a chaos run: clients of two kinds, each bound to one partition, work in pipelines on groups of keys,
 * whose histories are checked as the groups are retired. Beside these, what no group can show because it lives too
 * short: counters that all clients increment for as long as the run lasts, and witnesses, written once and read at the end.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { slotOf } from '../../shared/slots.js';
import { eventually } from '../cluster/condition.js';
import { type LoadClient, newClient } from './clients.js';
import { isWrite } from './commands.js';
import { ErrorReply, type Reply } from './connection.js';
import { Gaps } from './gaps.js';
import { Group, outcomeOf, Tags } from './groups.js';
import type { Histories } from './histories.js';
import type { Random } from './random.js';

export interface LoadOptions {
  readonly proxies: readonly { readonly host: string; readonly port: number }[];
  /** Slots of each partition. */
  readonly partitions: readonly (readonly [from: number, to: number])[];
  readonly bareClients: number;
  readonly ioredisClients: number;
  /** The mean pause of a client between two pipelines, in ms. */
  readonly pauseMs: number;
}

const GROUPS_PER_PARTITION = 6;
const PIPELINE_MAX = 5;
const COUNTERS = 16;
/** Of the turns of a client, those that increment a counter that lives as long as the run. */
const COUNTER_SHARE = 0.1;
const CROWDED_WAIT_MS = 50;
const STOP_MS = 60_000;
const FINAL_ATTEMPTS = 100;
const READ_AT_ONCE = 200;

/** A number that must lie between what was acknowledged and that with what may have happened. */
interface Counter {
  readonly key: string;
  acknowledged: number;
  unknown: number;
}

export class Load {
  readonly gaps: Gaps;
  operations = 0;
  acknowledged = 0;
  private readonly options: LoadOptions;
  private readonly histories: Histories;
  private readonly random: Random;
  private readonly tags = new Tags('g');
  private readonly groups: Group[][];
  private readonly clients: readonly LoadClient[];
  private readonly counters: readonly Counter[];
  /** By key: the value, and whether it was acknowledged. */
  private readonly witnesses = new Map<string, boolean>();
  private readonly done: Promise<unknown>;
  private running = true;

  constructor(options: LoadOptions, histories: Histories, random: Random) {
    this.options = options;
    this.histories = histories;
    this.random = random;
    this.gaps = new Gaps(options.partitions.length);
    this.groups = options.partitions.map(() => []);
    this.counters = Array.from({ length: COUNTERS }, (_, at) => ({
      key: `counter:${at}`,
      acknowledged: 0,
      unknown: 0,
    }));
    const { proxies, bareClients, ioredisClients } = options;
    const clients = Array.from({ length: bareClients + ioredisClients }, (_, at) =>
      at < bareClients ? newClient('bare', `bare${at}`, at, proxies) : newClient('ioredis', `io${at}`, at, proxies),
    );
    this.clients = clients;
    this.done = Promise.all(clients.map((client, at) => this.work(client, at % options.partitions.length)));
  }

  /** Ends all clients after what they do at the moment, and hands the last histories in. */
  async stop(): Promise<void> {
    this.running = false;
    let ended = false;
    this.done.then(
      () => (ended = true),
      () => (ended = true),
    );
    await eventually('the clients end', () => ended || undefined, STOP_MS);
    await this.done;
    const [client] = this.clients;
    if (client === undefined) throw new Error('there is no client');
    for (const group of this.groups.flat()) await this.retire(client, group);
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  /** What is wrong with counters and witnesses. Ask after `stop`. */
  async lasting(): Promise<string[]> {
    const wrong: string[] = [];
    const counted = await this.readAll(this.counters.map(({ key }) => key));
    for (const { key, acknowledged, unknown } of this.counters) {
      const value = Number(counted.get(key) ?? 0);
      if (value < acknowledged || value > acknowledged + unknown)
        wrong.push(
          `${key} is ${value}; ${acknowledged} increments were acknowledged, ${unknown} are of unknown outcome`,
        );
    }
    const found = await this.readAll([...this.witnesses.keys()]);
    for (const [key, acknowledged] of this.witnesses) {
      const value = found.get(key) ?? null;
      if (value !== witnessValue(key) && (acknowledged || value !== null))
        wrong.push(`${key} was ${acknowledged ? 'acknowledged' : 'written'} and reads ${JSON.stringify(value)}`);
    }
    return wrong;
  }

  get witnessCount(): number {
    return this.witnesses.size;
  }

  private async work(client: LoadClient, partition: number): Promise<void> {
    while (this.running && (await client.untilConnected())) {
      if (this.histories.crowded) {
        await delay(CROWDED_WAIT_MS);
        continue;
      }
      if (this.random.chance(COUNTER_SHARE)) await this.increment(client);
      const group = this.groupFor(partition);
      await this.onGroup(client, group, partition);
      if (group.spent && group.quiet && this.drop(partition, group)) await this.retire(client, group);
      await delay(this.random.next() * 2 * this.options.pauseMs);
    }
  }

  private onGroup(client: LoadClient, group: Group, partition: number): Promise<void> {
    const commands = Array.from({ length: this.random.between(1, PIPELINE_MAX) }, () => group.commands.next());
    return this.record(client, group, commands, (index, nowMs) => {
      if (isWrite(commands[index] ?? [])) this.gaps.acknowledged(partition, nowMs);
    }).then(() => undefined);
  }

  /** Sends commands of a group and records them; resolves with how many were answered. */
  private record(
    client: LoadClient,
    group: Group,
    commands: readonly (readonly string[])[],
    onOk: (index: number, nowMs: number) => void,
  ): Promise<number> {
    const nowMs = performance.now();
    const ends = commands.map((command) => group.begin(client.name, command, nowMs));
    let left = commands.length;
    let answered = 0;
    this.operations += commands.length;
    return new Promise((resolve) => {
      client.pipeline(commands, (index, reply) => {
        const returnMs = performance.now();
        const outcome = ends[index]?.(reply, returnMs);
        if (outcome === 'ok') {
          answered++;
          this.acknowledged++;
          onOk(index, returnMs);
        } else {
          this.noteTrouble(reply);
        }
        if (--left === 0) resolve(answered);
      });
    });
  }

  private async increment(client: LoadClient): Promise<void> {
    const counter = this.random.pick(this.counters);
    this.operations++;
    counter.unknown++; // until it is known
    const reply = await one(client, ['INCR', counter.key]);
    const outcome = outcomeOf(reply);
    if (outcome !== 'unknown') counter.unknown--;
    if (outcome === 'ok') {
      counter.acknowledged++;
      this.acknowledged++;
    } else {
      this.noteTrouble(reply);
    }
  }

  private noteTrouble(reply: Reply | undefined): void {
    if (reply === undefined) this.gaps.trouble('connection lost', 'the connection was lost');
    else if (reply instanceof ErrorReply)
      this.gaps.trouble(reply.text.startsWith('UNKNOWN ') ? 'UNKNOWN' : 'refused', reply.text);
  }

  private groupFor(partition: number): Group {
    const groups = this.groups[partition] ?? [];
    const open = groups.filter((group) => !group.spent);
    if (open.length >= GROUPS_PER_PARTITION) return this.random.pick(open);
    const slots = this.options.partitions[partition];
    if (slots === undefined) throw new Error(`there is no partition ${partition}`);
    const group = new Group(this.tags.next(slots), this.random.fork());
    groups.push(group);
    return group;
  }

  /** True for the one who took it out of the list. */
  private drop(partition: number, group: Group): boolean {
    const groups = this.groups[partition] ?? [];
    const at = groups.indexOf(group);
    if (at >= 0) groups.splice(at, 1);
    return at >= 0;
  }

  /** Reads the group whole, hands its history in, leaves a witness of it and removes its keys. */
  private async retire(client: LoadClient, group: Group): Promise<void> {
    const reads = group.commands.finalReads();
    for (let attempt = 0; attempt < FINAL_ATTEMPTS; attempt++) {
      if (!(await client.untilConnected())) return;
      if ((await this.record(client, group, reads, () => undefined)) === reads.length) break;
    }
    this.histories.submit(group.tag, group.operations);
    const witness = `witness:${group.tag}`;
    this.operations++;
    this.witnesses.set(witness, false);
    const reply = await one(client, ['SET', witness, witnessValue(witness)]);
    const outcome = outcomeOf(reply);
    if (outcome === 'ok') this.witnesses.set(witness, true);
    else if (outcome === 'refused') this.witnesses.delete(witness);
    if (outcome !== 'ok') this.noteTrouble(reply);
    await one(client, ['DEL', ...group.commands.allKeys()]);
  }

  private async readAll(keys: readonly string[]): Promise<Map<string, string | null>> {
    const found = new Map<string, string | null>();
    for (let from = 0; from < keys.length; from += READ_AT_ONCE) {
      const part = keys.slice(from, from + READ_AT_ONCE);
      const values = await eventually('keys can be read', () => this.readOnce(part));
      part.forEach((key, at) => found.set(key, values[at] ?? null));
    }
    return found;
  }

  private async readOnce(keys: readonly string[]): Promise<(string | null)[] | undefined> {
    const [client] = this.clients;
    if (client === undefined || !(await client.untilConnected())) throw new Error('there is no client');
    const values: (string | null)[] = [];
    await new Promise<void>((resolve) => {
      client.pipeline(
        keys.map((key) => ['GET', key]),
        (index, reply) => {
          if (reply === null || typeof reply === 'string') values[index] = reply;
          if (index === keys.length - 1) resolve();
        },
      );
    });
    return Object.keys(values).length === keys.length ? values : undefined;
  }
}

function one(client: LoadClient, command: readonly string[]): Promise<Reply | undefined> {
  return new Promise((resolve) => client.pipeline([command], (_, reply) => resolve(reply)));
}

function witnessValue(key: string): string {
  return `${key} at slot ${slotOf(Buffer.from(key))}`;
}
