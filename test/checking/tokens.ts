/**
 * Two checks in linear time for histories that are too long to be searched: keys to which only unique tokens are added at
 * the end (APPEND, RPUSH) and counters that only grow (INCR, INCRBY). What such a key holds last tells the order of all
 * its writes, so that nothing needs to be tried. They find what is lost, doubled, out of order or stale; other commands
 * on such a key make its history unfit, which is an error.
 */
import { describeOperation, isError, type Operation, type Reply } from './history.js';

/** What an answered operation has shown: the key held exactly so much, at some time between call and return. */
interface Seen {
  readonly operation: Operation;
  readonly size: number;
}

/** Every sentence names one violation; none: all is well. `operations` may concern other keys too. */
export function checkTokens(key: string, operations: readonly Operation[]): string[] {
  const ofKey = operations.filter(({ command }) => command[1] === key);
  const found: string[] = [];
  const tokens = ofKey
    .filter(({ outcome }) => outcome === 'ok')
    .map((operation) => ({ operation, tokens: read(operation) }));
  const longest = tokens.reduce<readonly string[]>((most, one) => longer(most, one.tokens), []);
  const places = new Map(longest.map((token, index) => [token, index + 1]));
  if (places.size !== longest.length) found.push(`${key}: ${repeated(longest)} stands there twice`);
  const seen: Seen[] = [];
  for (const { operation, tokens: shown } of tokens) {
    if (shown === null) continue;
    if (shown.some((token, index) => token !== longest[index]))
      found.push(`${describeOperation(operation)}: what the longest value does not begin with`);
    seen.push({ operation, size: shown.length });
  }
  const lastReadMs = Math.max(-Infinity, ...seen.map(({ operation }) => operation.callMs));
  for (const operation of ofKey) seen.push(...writeSeen(operation, places, longest, lastReadMs, found));
  found.push(...realTime(seen));
  return found;
}

/** The tokens of a complete read, null for a write. */
function read({ command, reply }: Operation): readonly string[] | null {
  const name = (command[0] ?? '').toUpperCase();
  if (name === 'APPEND' || name === 'RPUSH') return null;
  if (name === 'GET') return reply === null ? [] : (String(reply).match(/<[^<>]*>/g) ?? []);
  if (name === 'LRANGE' && command[2] === '0' && command[3] === '-1' && Array.isArray(reply)) return reply as string[];
  throw new Error(`${command.join(' ')} does not belong to a history of tokens`);
}

function longer(a: readonly string[], b: readonly string[] | null): readonly string[] {
  return b !== null && b.length > a.length ? b : a;
}

function repeated(tokens: readonly string[]): string {
  return tokens.find((token, index) => tokens.indexOf(token) !== index) ?? '';
}

/** What a write shows, when it was answered; what is wrong with it goes to `found`. */
function writeSeen(
  operation: Operation,
  places: ReadonlyMap<string, number>,
  longest: readonly string[],
  lastReadMs: number,
  found: string[],
): Seen[] {
  const { command, outcome, reply, returnMs } = operation;
  const name = (command[0] ?? '').toUpperCase();
  if (name !== 'APPEND' && name !== 'RPUSH') return [];
  const place = places.get(command[2] ?? '');
  if (outcome === 'unknown') return [];
  if (outcome === 'refused') {
    if (place !== undefined) found.push(`${describeOperation(operation)}: refused, and it took effect`);
    return [];
  }
  if (place === undefined) {
    if (returnMs < lastReadMs) found.push(`${describeOperation(operation)}: acknowledged, and lost`);
    return [];
  }
  const length = name === 'RPUSH' ? place : longest.slice(0, place).join('').length;
  if (reply !== length) found.push(`${describeOperation(operation)}: it ended at ${length}`);
  return [{ operation, size: place }];
}

/**
 * For a counter that begins at 0 and is only read (GET) and incremented: nothing was counted twice, no answer was given
 * twice, nothing acknowledged is missing, and what began later saw as much.
 */
export function checkCounter(key: string, operations: readonly Operation[]): string[] {
  const ofKey = operations.filter(({ command }) => command[1] === key);
  const found: string[] = [];
  const seen: Seen[] = [];
  const sums = new Map<number, Operation>();
  for (const operation of ofKey) {
    const { command, outcome, reply } = operation;
    const by = increment(command);
    if (outcome !== 'ok') continue;
    const size = number(reply);
    seen.push({ operation, size });
    if (by === 0) continue;
    const twin = sums.get(size);
    if (twin !== undefined) found.push(`${describeOperation(operation)}: ${describeOperation(twin)} has this sum too`);
    sums.set(size, operation);
  }
  const acknowledged = new Sums(ofKey.filter(({ outcome }) => outcome === 'ok').map((one) => [one.returnMs, one]));
  const begun = new Sums(ofKey.filter(({ outcome }) => outcome !== 'refused').map((one) => [one.callMs, one]));
  for (const { operation, size } of seen) {
    const least = acknowledged.before(operation.callMs) + increment(operation.command);
    const most = begun.before(operation.returnMs);
    if (size < least) found.push(`${describeOperation(operation)}: at least ${least} had been counted`);
    if (size > most) found.push(`${describeOperation(operation)}: only ${most} had been asked for`);
  }
  found.push(...realTime(seen));
  return found;
}

function increment(command: readonly string[]): number {
  const name = (command[0] ?? '').toUpperCase();
  if (name === 'GET') return 0;
  if (name === 'INCR') return 1;
  const by = Number(command[2]);
  if (name !== 'INCRBY' || !(by > 0)) throw new Error(`${command.join(' ')} does not belong to a growing counter`);
  return by;
}

function number(reply: Reply): number {
  if (isError(reply)) throw new Error(`a counter answered ${reply.error}`);
  return Number(reply ?? 0);
}

/** What increments add up to until a time. */
class Sums {
  private readonly times: readonly number[];
  private readonly sums: number[] = [0];

  constructor(increments: readonly (readonly [timeMs: number, operation: Operation])[]) {
    const inOrder = increments.toSorted(([a], [b]) => a - b);
    this.times = inOrder.map(([timeMs]) => timeMs);
    for (const [, { command }] of inOrder) this.sums.push(this.sums.at(-1)! + increment(command));
  }

  before(timeMs: number): number {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle]! < timeMs) low = middle + 1;
      else high = middle;
    }
    return this.sums[low]!;
  }
}

/** What began after something had ended saw at least as much. */
function realTime(seen: readonly Seen[]): string[] {
  const byCall = seen.toSorted((a, b) => a.operation.callMs - b.operation.callMs);
  const byReturn = seen.toSorted((a, b) => a.operation.returnMs - b.operation.returnMs);
  const found: string[] = [];
  let ended = 0;
  let most: Seen | null = null;
  for (const one of byCall) {
    for (let next = byReturn[ended]; next !== undefined; next = byReturn[++ended]) {
      if (next.operation.returnMs >= one.operation.callMs) break;
      if (most === null || next.size > most.size) most = next;
    }
    if (most !== null && one.size < most.size)
      found.push(`${describeOperation(one.operation)}: less than ${describeOperation(most.operation)} had shown`);
  }
  return found;
}
