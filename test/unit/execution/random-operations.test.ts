/**
 * Random operations of several connections, with commits, applies, returning pages, lost answers and failovers at
 * random: every answer must be the one of a plain model that executes each request once, in the order of its connection.
 */
import { expect } from 'chai';
import { append, counts, get, increment, remove, set } from '../../../shared/operations/codes.js';
import { fieldScan, fieldSet } from '../../../shared/operations/fields.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { Status } from '../../../shared/wire/messages.js';
import { bytes, Primary, type Reply } from './primary.js';

interface Request {
  readonly operation: Operation;
  readonly expected: string;
  /** A list of fields is too large to be kept for a repetition: that may be answered "unknown". */
  readonly isList: boolean;
  answered: boolean;
}

type Fields = Map<string, string>;

/** A number in [0, below), from a seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const shown = (value: OperationResult | undefined): string =>
  Buffer.isBuffer(value) ? value.latin1Slice() : Array.isArray(value) ? `[${value.map(shown).join()}]` : String(value);

/** One connection: its requests, and its own keys as a model. */
class Client {
  readonly requests: Request[] = [];
  readonly strings = new Map<string, string>();
  readonly hashes = new Map<string, Fields>();
  private readonly roll: (below: number) => number;
  readonly connection: number;

  constructor(connection: number, roll: (below: number) => number) {
    this.connection = connection;
    this.roll = roll;
  }

  /** The next request, with the answer that it must get. */
  next(): void {
    const name = `c${this.connection}/${this.roll(3)}`;
    const key = bytes(name);
    const text = `<${this.requests.length}>`;
    const hash = bytes(`${name}/hash`);
    const kind = this.roll(9);
    if (kind === 0) this.add(set(key, bytes(text)), this.change(name, text, 'true'));
    else if (kind <= 2) {
      const grown = (this.strings.get(name) ?? '') + text;
      this.add(append(key, bytes(text)), this.change(name, grown, String(grown.length)));
    } else if (kind <= 4) this.add(get(key), this.strings.get(name) ?? 'null');
    else if (kind === 5) this.add(remove([key, hash]), String(this.drop(name)));
    else if (kind === 6) {
      const count = `${name}/count`;
      const sum = String(Number(this.strings.get(count) ?? '0') + 1);
      this.add(increment(bytes(count), 1), this.change(count, sum, sum));
    } else if (kind === 7) this.add(...this.setFields(name, hash, text));
    else this.add(fieldScan(hash, { from: null, to: null, limit: 1_000, reverse: this.roll(2) === 0 }), null, name);
  }

  private add(operation: Operation, expected: string | null, listed = ''): void {
    const isList = expected === null;
    this.requests.push({ operation, isList, answered: false, expected: expected ?? this.listing(listed, operation) });
  }

  private change(name: string, value: string, answer: string): string {
    this.strings.set(name, value);
    return answer;
  }

  private drop(name: string): number {
    return Number(this.strings.delete(name)) + Number(this.hashes.delete(name));
  }

  private setFields(name: string, hash: Buffer, text: string): [Operation, string] {
    const fields = this.hashes.get(name) ?? new Map<string, string>();
    const before = fields.size;
    const chosen = Array.from({ length: 1 + this.roll(60) }, () => `f${100 + this.roll(150)}`);
    for (const field of chosen) fields.set(field, text);
    this.hashes.set(name, fields);
    const given = chosen.map((field) => ({ sortKey: bytes(field), value: bytes(text), ttlMs: 0 }));
    return [fieldSet(hash, given), String(fields.size - before)];
  }

  private listing(name: string, operation: Operation): string {
    const fields = [...(this.hashes.get(name) ?? [])].sort(([x], [y]) => (x < y ? -1 : 1));
    if (operation.at(-1) === true) fields.reverse();
    return `[null,[${fields.flat().join()}]]`;
  }

  /** Everything up to it has been answered. */
  get acknowledged(): number {
    const open = this.requests.findIndex(({ answered }) => !answered);
    return open < 0 ? this.requests.length : open;
  }
}

class Run {
  readonly clients: Client[];
  primary: Primary;
  failovers = 0;
  private readonly roll: (below: number) => number;
  /** By the id of the reply. */
  private sent = new Map<number, Request>();
  private read = 0;

  constructor(seed: number) {
    this.roll = dice(seed);
    this.clients = [1, 2, 3, 4].map((connection) => new Client(connection, this.roll));
    this.primary = new Primary({ slowFetches: true, cacheBytes: 20_000 });
  }

  step(): void {
    const { primary, roll } = this;
    const what = roll(100);
    if (what < 55) {
      const client = this.clients[roll(this.clients.length)]!;
      client.next();
      this.send(client, client.requests.length);
    } else if (what < 70) primary.turn();
    else if (what < 80) primary.commit(Math.min(primary.mutations.length, primary.committed + 1 + roll(3)));
    else if (what < 86) primary.apply(Math.min(primary.committed, primary.applied + 1 + roll(3)));
    else if (what < 96) {
      if (primary.fetching > 0) primary.fetched(roll(primary.fetching));
    } else if (what < 98) this.repeat(this.clients[roll(this.clients.length)]!);
    else if (roll(4) === 0) this.failOver();
    // now and then what was answered is lost on its way
    this.receive(roll(10) === 0);
  }

  private send(client: Client, sequence: number): void {
    const request = client.requests[sequence - 1]!;
    const { connection, acknowledged } = client;
    this.sent.set(this.primary.send(request.operation, { connection, sequence, acknowledged }), request);
  }

  /** What has no answer is sent again, in order. */
  private repeat(client: Client): void {
    client.requests.forEach(({ answered }, index) => {
      if (!answered) this.send(client, index + 1);
    });
  }

  private failOver(): void {
    const { mutations, committed } = this.primary;
    this.primary.executor.stop('not-primary');
    this.receive(false);
    expect(this.primary.failures).to.deep.equal([]);
    this.primary = new Primary({ slowFetches: true, cacheBytes: 20_000, committed: mutations.slice(0, committed) });
    this.sent = new Map();
    this.read = 0;
    this.failovers++;
    for (const client of this.clients) this.repeat(client);
  }

  private receive(lost: boolean): void {
    const { replies } = this.primary;
    for (; this.read < replies.length; this.read++) if (!lost) this.check(replies[this.read]!);
  }

  private check({ id, status, value }: Reply): void {
    const request = this.sent.get(id)!;
    if (status === Status.retry) return;
    if (status === Status.unknown) expect(request.isList, shown(value)).to.equal(true);
    else expect(shown(value), JSON.stringify(request.operation)).to.equal(request.expected);
    request.answered = true;
  }

  finish(): void {
    for (let turns = 0; this.clients.some(({ requests, acknowledged }) => acknowledged < requests.length); turns++) {
      expect(turns, 'everything is answered in the end').to.be.lessThan(1_000);
      for (const client of this.clients) this.repeat(client);
      const { primary } = this;
      primary.turn();
      while (primary.fetching > 0) primary.fetched();
      primary.commit().apply();
      this.receive(false);
    }
  }

  get keys(): number {
    return this.clients.reduce((sum, { strings, hashes }) => sum + strings.size + hashes.size, 0);
  }
}

describe('random operations through the executor', () => {
  it('are answered like those of a plain model, each executed once, through failovers', () => {
    let failovers = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const run = new Run(seed);
      try {
        for (let step = 0; step < 1_500; step++) run.step();
        run.finish();
        const [[, keys] = [0, 0]] = run.primary.now(counts()) as [number, number, number][];
        expect(keys).to.equal(run.keys);
        expect(run.primary.failures).to.deep.equal([]);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      failovers += run.failovers;
    }
    expect(failovers).to.be.greaterThan(20);
  });
});
