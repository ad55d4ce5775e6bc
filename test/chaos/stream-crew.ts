/**
 * Entries of a stream that two consumer groups work off: each group must get each entry once, to exactly one of its
 * consumers; what a lost reply held is then in the group's list of pending entries, so here nothing may be missing at all.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CrewRound } from './crews.js';
import { outcomeOf } from './groups.js';
import { Ledger } from './ledger.js';
import { array, type Post, texts } from './post.js';

const PUTTERS = 2;
/** Of the entries that a consumer got, those that it does not acknowledge. */
const LEFT_PENDING = 0.2;
const BLOCK_MS = ['20', '300', '1000', '2000'] as const;
const ALL = '100000';

interface Entry {
  readonly id: string;
  readonly token: string;
}

class Group {
  readonly name: string;
  readonly ledger = new Ledger();
  readonly taken = new Set<string>();
  /** Ids that XACK said it took off; and those of which it is certain that nobody asked it to. */
  readonly acknowledged = new Set<string>();
  readonly pending = new Set<string>();
  readonly complaints: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  took({ id, token }: Entry, by: string): void {
    this.taken.add(id);
    this.ledger.take(token, by);
  }
}

export async function streamRound({ tag, posts, random, pauseMs, tokens, isOver }: CrewRound): Promise<string[]> {
  const key = `{${tag}}`;
  const groups = [new Group('one'), new Group('two')];
  const [first] = posts;
  for (const { name } of groups) await first!.insist('XGROUP', 'CREATE', key, name, '0', 'MKSTREAM');
  let putting = PUTTERS;
  const put = async (at: number): Promise<void> => {
    const post = posts[at]!;
    for (let number = 0; number < tokens && !isOver(); number++) {
      if (!(await post.ready())) break;
      const token = `${tag}.${at}.${number}`;
      for (const { ledger } of groups) ledger.handIn(token);
      const outcome = outcomeOf(await post.ask('XADD', key, '*', 'token', token));
      for (const { ledger } of groups) ledger.answered(token, outcome);
      await delay(random.next() * 2 * pauseMs);
    }
    putting--;
  };
  const acknowledge = async (post: Post, group: Group, entries: readonly Entry[]): Promise<void> => {
    if (random.chance(LEFT_PENDING)) {
      for (const { id } of entries) group.pending.add(id);
      return;
    }
    const reply = await post.ask('XACK', key, group.name, ...entries.map(({ id }) => id));
    if (outcomeOf(reply) !== 'ok') return;
    if (reply !== entries.length)
      group.complaints.push(`XACK of ${entries.map(({ id }) => id).join(' ')} says ${JSON.stringify(reply)}`);
    for (const { id } of entries) group.acknowledged.add(id);
  };
  const consume = async (at: number): Promise<void> => {
    const post = posts[at]!;
    const group = groups[at % groups.length]!;
    for (;;) {
      if (!(await post.ready())) return;
      const over = putting === 0;
      const asked = ['GROUP', group.name, `consumer${at}`, 'COUNT', '3', 'BLOCK', random.pick(BLOCK_MS)];
      const reply = await post.ask('XREADGROUP', ...asked, 'STREAMS', key, '>');
      if (reply === null && over) return;
      if (!Array.isArray(reply)) continue;
      const entries = entriesOf(array(array(reply)[0])[1]);
      for (const entry of entries) group.took(entry, post.connection);
      await acknowledge(post, group, entries);
    }
  };
  await Promise.all(posts.map((_, at) => (at < PUTTERS ? put(at) : consume(at))));
  const complaints: string[] = [];
  for (const group of groups)
    complaints.push(...(await settle(first!, key, group)).map((text) => `group ${group.name}: ${text}`));
  await first!.ask('DEL', key);
  return complaints;
}

/**
 * Nobody reads any more: every entry was taken once, waits, or is pending. Only what was sent on a lost connection may
 * still arrive: an entry, or even somebody who takes it. Read in this order, neither shows as an error.
 */
async function settle(post: Post, key: string, group: Group): Promise<string[]> {
  const { name, ledger, complaints } = group;
  const delivered = await lastDelivered(post, key, name);
  const pending = new Set(
    array(await post.insist('XPENDING', key, name, '-', '+', ALL)).map((row) => String(array(row)[0])),
  );
  const all = entriesOf(await post.insist('XRANGE', key, '-', '+'));
  const tokens = new Map(all.map(({ id, token }) => [id, token]));
  if (tokens.size !== all.length) complaints.push('an id occurs twice in the stream');
  for (const id of group.pending)
    if (!pending.has(id)) complaints.push(`${id} was not acknowledged and is not pending`);
  for (const id of group.acknowledged) if (pending.has(id)) complaints.push(`${id} was acknowledged and is pending`);
  for (const id of [...group.taken, ...pending]) if (!tokens.has(id)) complaints.push(`${id} is not in the stream`);
  // pending though nobody took it: the reply was lost
  const lost = [...pending].filter((id) => !group.taken.has(id));
  const waiting = all.filter(({ id }) => isAfter(id, delivered) && !pending.has(id)).map(({ token }) => token);
  complaints.push(...ledger.settle([...lost.map((id) => tokens.get(id) ?? id), ...waiting]));
  const claimed = array(await post.insist('XAUTOCLAIM', key, name, 'the end', '0', '0', 'COUNT', ALL, 'JUSTID'))[1];
  if (texts(claimed).length < pending.size)
    complaints.push(`${pending.size} entries were pending, XAUTOCLAIM found ${texts(claimed).length}`);
  return complaints;
}

async function lastDelivered(post: Post, key: string, name: string): Promise<string> {
  for (const row of array(await post.insist('XINFO', 'GROUPS', key))) {
    const fields = array(row);
    const field = (which: string): string => String(fields[fields.indexOf(which) + 1]);
    if (field('name') === name) return field('last-delivered-id');
  }
  throw new Error(`${key} has no group ${name}`);
}

function isAfter(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && sequence > otherSequence);
}

function entriesOf(reply: Parameters<typeof array>[0]): Entry[] {
  return array(reply).map((entry) => {
    const [id, fields] = array(entry);
    return { id: String(id), token: texts(fields)[1] ?? '' };
  });
}
