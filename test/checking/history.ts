/**
 * What clients saw, in a form that any driver can record (the simulator on virtual time, real clients on the
 * monotonic clock) and that can be kept in a file and checked again.
 *
 * An operation is a Redis command with its reply as RESP2 shows it. Bytes are latin1 text, so that every byte
 * is one character. How it ended matters as much as the reply: "refused" promises that it had no effect,
 * "unknown" promises nothing: it may take effect at any time after the call, or never.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** A RESP2 reply. Simple and bulk strings are not told apart. */
export type Reply = null | number | string | RedisError | readonly Reply[];

export interface RedisError {
  readonly error: string;
}

export type Outcome = 'ok' | 'refused' | 'unknown';

export interface Operation {
  /** Unique, in the order of the calls. */
  readonly id: number;
  /**
   * One connection. Its operations take effect in the order of their calls (where they concern the same keys), and
   * one of unknown outcome not after a later one. A client that connects again gets another name.
   */
  readonly client: string;
  /** Name and arguments. */
  readonly command: readonly string[];
  readonly callMs: number;
  /** Infinity when the outcome never became known. */
  readonly returnMs: number;
  readonly outcome: Outcome;
  /** With outcome `ok`: what came, possibly an error that tells about the data (WRONGTYPE). Otherwise what explains the outcome. */
  readonly reply: Reply;
}

export function isError(reply: Reply): reply is RedisError {
  return typeof reply === 'object' && reply !== null && 'error' in reply;
}

/** Errors that say nothing about the data, and promise that nothing was done. */
const REFUSALS = /^(ERR not executed|OOM |NOREPLICAS |EXECABORT )/;

/** What an answer says about the command's effect; see docs/compatibility.md for the texts. */
export function outcomeOf(reply: Reply): Outcome {
  if (!isError(reply)) return 'ok';
  if (reply.error.startsWith('UNKNOWN ')) return 'unknown';
  return REFUSALS.test(reply.error) ? 'refused' : 'ok';
}

interface Open {
  readonly client: string;
  readonly command: readonly string[];
  readonly callMs: number;
}

/** Gathers operations as they are called and answered. */
export class History {
  /** In the order in which they ended. */
  readonly operations: Operation[] = [];
  private readonly open = new Map<number, Open>();
  private lastId = 0;

  /** How many have been called and have not ended. */
  get outstanding(): number {
    return this.open.size;
  }

  /** Returns the handle for `returned` or `lost`. */
  call(client: string, command: readonly string[], nowMs: number): number {
    this.lastId += 1;
    this.open.set(this.lastId, { client, command, callMs: nowMs });
    return this.lastId;
  }

  returned(id: number, reply: Reply, nowMs: number): Outcome {
    const outcome = outcomeOf(reply);
    this.end(id, outcome, reply, outcome === 'unknown' ? Infinity : nowMs);
    return outcome;
  }

  /** No answer will come: the connection broke, or the client no longer waits. */
  lost(id: number, why: string): void {
    this.end(id, 'unknown', { error: why }, Infinity);
  }

  private end(id: number, outcome: Outcome, reply: Reply, returnMs: number): void {
    const open = this.open.get(id);
    if (open === undefined) throw new Error(`operation ${id} has ended already`);
    this.open.delete(id);
    this.operations.push({ id, ...open, returnMs, outcome, reply });
  }

  /** All operations by call; those that have not ended are unknown. */
  all(): Operation[] {
    const open = [...this.open].map(([id, { client, command, callMs }]): Operation => {
      return { id, client, command, callMs, returnMs: Infinity, outcome: 'unknown', reply: null };
    });
    return [...this.operations, ...open].sort((a, b) => a.id - b.id);
  }
}

/** One operation a line; Infinity, which JSON cannot say, is null. */
export function writeHistory(file: string, operations: readonly Operation[]): void {
  writeFileSync(file, operations.map((operation) => `${JSON.stringify(operation)}\n`).join(''));
}

export function readHistory(file: string): Operation[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const parsed = JSON.parse(line) as Operation & { returnMs: number | null };
      return { ...parsed, returnMs: parsed.returnMs ?? Infinity };
    });
}

const SHOWN_CHARACTERS = 120;

/** One line for a person to read. */
export function describeOperation({ id, client, command, callMs, returnMs, outcome, reply }: Operation): string {
  const end = returnMs === Infinity ? '...' : returnMs.toFixed(2);
  const result = outcome === 'ok' ? describeReply(reply) : `${outcome}: ${describeReply(reply)}`;
  return `#${id} [${callMs.toFixed(2)}, ${end}] ${client}: ${shorten(command.join(' '))} -> ${shorten(result)}`;
}

export function describeReply(reply: Reply): string {
  if (isError(reply)) return `(error) ${reply.error}`;
  return JSON.stringify(reply);
}

export function shorten(text: string): string {
  return text.length <= SHOWN_CHARACTERS
    ? text
    : `${text.slice(0, SHOWN_CHARACTERS / 2)} ... ${text.slice(-SHOWN_CHARACTERS / 2)} (${text.length} characters)`;
}
