/**
 * A group: a few keys with one hash tag, on which several clients work until it has seen so many operations. Then it
 * takes no more, is read whole, and its history goes to the checker: so that memory does not grow with the run.
 */
import { slotOf } from '../../shared/slots.js';
import type { Operation, Outcome, Reply as CheckedReply } from '../checking/history.js';
import { CommandSource } from './commands.js';
import { ErrorReply, type Reply } from './connection.js';
import type { Random } from './random.js';

/** Operations on all keys of a group: a few dozen for each key. */
const OPERATIONS_MIN = 150;
const OPERATIONS_MAX = 500;

/** Answers that promise that nothing was done: refused by the proxy, for lack of replicas or of disk. */
const REFUSALS = /^(ERR not executed|OOM |NOREPLICAS )/;

export function outcomeOf(reply: Reply | undefined): Outcome {
  if (reply === undefined) return 'unknown';
  if (!(reply instanceof ErrorReply)) return 'ok';
  if (reply.text.startsWith('UNKNOWN ')) return 'unknown';
  return REFUSALS.test(reply.text) ? 'refused' : 'ok';
}

export class Group {
  readonly tag: string;
  readonly commands: CommandSource;
  readonly operations: Operation[] = [];
  private readonly budget: number;
  private calls = 0;
  private outstanding = 0;

  constructor(tag: string, random: Random) {
    this.tag = tag;
    this.commands = new CommandSource(tag, random);
    this.budget = random.between(OPERATIONS_MIN, OPERATIONS_MAX);
  }

  /** It takes no more operations. */
  get spent(): boolean {
    return this.calls >= this.budget;
  }

  /** ... and none is under way. */
  get quiet(): boolean {
    return this.outstanding === 0;
  }

  /** To be called in the order of the calls; what it returns takes the reply. */
  begin(
    client: string,
    command: readonly string[],
    callMs: number,
  ): (reply: Reply | undefined, nowMs: number) => Outcome {
    const id = ++this.calls;
    this.outstanding++;
    return (reply, nowMs) => {
      this.outstanding--;
      const outcome = outcomeOf(reply);
      const returnMs = outcome === 'unknown' ? Infinity : nowMs;
      const checked = reply === undefined ? { error: 'the connection was lost' } : forChecker(reply);
      this.operations.push({ id, client, command, callMs, returnMs, outcome, reply: checked });
      return outcome;
    };
  }
}

/** Tags are numbered; `next` gives one whose keys lie in these slots. */
export class Tags {
  private readonly prefix: string;
  private readonly counters = new Map<number, number>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  next([from, to]: readonly [from: number, to: number]): string {
    for (let count = this.counters.get(from) ?? 0; ; count++) {
      const tag = `${this.prefix}${count}`;
      const slot = slotOf(Buffer.from(tag));
      if (slot < from || slot > to) continue;
      this.counters.set(from, count + 1);
      return tag;
    }
  }
}

function forChecker(reply: Reply): CheckedReply {
  if (reply instanceof ErrorReply) return { error: reply.text };
  return Array.isArray(reply) ? reply.map(forChecker) : (reply as CheckedReply);
}
