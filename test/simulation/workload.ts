/**
 * Clients that append unique tokens to a few shared keys, read them and count, one operation at a time.
 * A value that only grows makes linearizability easy to check completely: every read is a prefix of the
 * final value, and in real time lengths never go back.
 */
import { append, get, increment } from '../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import type { RoutedConnection } from '../../shared/routing/request.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import type { Cluster } from './cluster.js';

interface Done {
  readonly key: string;
  readonly kind: 'append' | 'get' | 'increment';
  readonly token: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly value: OperationResult;
}

const PAUSE_MS = [0, 20] as const;

export class Workload {
  readonly history: Done[] = [];
  stopped = false;
  running = 0;
  private readonly cluster: Cluster;
  private readonly keys: readonly string[];

  constructor(cluster: Cluster, clients: number, keys: number) {
    this.cluster = cluster;
    this.keys = Array.from({ length: keys }, (_, i) => `key-${i}`);
    for (let client = 0; client < clients; client++) {
      const router = cluster.routers[client % cluster.routers.length]!;
      const connection = router.connect(() => undefined);
      this.running++;
      this.next(client, 0, connection);
    }
  }

  private next(client: number, turn: number, connection: RoutedConnection): void {
    if (this.stopped) {
      this.running--;
      return;
    }
    const { world } = this.cluster;
    const key = world.pick(this.keys);
    const dice = world.random();
    const token = `<${client}.${turn}>`;
    const kind = dice < 0.5 ? 'append' : dice < 0.8 ? 'get' : 'increment';
    const name = Buffer.from(kind === 'increment' ? `count-${key}` : key);
    const operation: Operation =
      kind === 'append' ? append(name, Buffer.from(token)) : kind === 'get' ? get(name) : increment(name, 1);
    const startMs = world.nowMs;
    this.submit(client, connection, name, operation, (status, value) => {
      this.history.push({ key, kind, token, startMs, endMs: world.nowMs, status, value });
      world.at(world.between(...PAUSE_MS), () => this.next(client, turn + 1, connection));
    });
  }

  private submit(
    client: number,
    connection: RoutedConnection,
    key: Buffer,
    operation: Operation,
    done: (status: number, value: OperationResult) => void,
  ): void {
    const router = this.cluster.routers[client % this.cluster.routers.length]!;
    router.submit(router.table('default'), slotOf(key), connection, 0, operation, { onOutcome: done });
  }

  /** Reads every key once more; call after healing. */
  readAll(done: (values: Map<string, string>, counts: Map<string, number>) => void): void {
    const values = new Map<string, string>();
    const counts = new Map<string, number>();
    const router = this.cluster.routers[0]!;
    const connection = router.connect(() => undefined);
    let left = 2 * this.keys.length;
    const answered = (): void => {
      left--;
      if (left === 0) done(values, counts);
    };
    for (const key of this.keys) {
      this.submit(0, connection, Buffer.from(key), get(Buffer.from(key)), (status, value) => {
        if (status !== Status.ok) throw new Error(`the final read of ${key} failed: ${String(value)}`);
        values.set(key, value === null ? '' : String(value));
        answered();
      });
      const count = Buffer.from(`count-${key}`);
      this.submit(0, connection, count, get(count), (status, value) => {
        if (status !== Status.ok) throw new Error(`the final read of ${key} failed: ${String(value)}`);
        counts.set(key, value === null ? 0 : Number(String(value)));
        answered();
      });
    }
  }

  /** Throws at the first thing that no linear order of exactly-once operations explains. */
  check(values: ReadonlyMap<string, string>, counts: ReadonlyMap<string, number>): void {
    for (const key of this.keys) {
      this.checkAppends(key, values.get(key) ?? '');
      this.checkCounts(key, counts.get(key) ?? 0);
    }
  }

  private checkAppends(key: string, final: string): void {
    const ofKey = this.history.filter((done) => done.key === key && done.kind !== 'increment');
    const tokens = final.match(/<\d+\.\d+>/g) ?? [];
    if (new Set(tokens).size !== tokens.length) throw new Error(`${key}: a token stands twice`);
    const timed: { startMs: number; endMs: number; low: number; what: string }[] = [];
    for (const { kind, token, status, value, startMs, endMs } of ofKey) {
      const what = `${key}: ${kind} ${token}`;
      if (kind === 'append') {
        const at = final.indexOf(token);
        if (status === Status.ok) {
          if (at < 0) throw new Error(`${what} was acknowledged and is lost`);
          if (at + token.length !== value)
            throw new Error(`${what} said length ${String(value)} and ended at ${at + token.length}`);
          timed.push({ startMs, endMs, low: at + token.length, what });
        } else if (status !== Status.unknown && at >= 0) throw new Error(`${what} failed (${status}) and took effect`);
      } else if (status === Status.ok) {
        const text = value === null ? '' : String(value);
        if (!final.startsWith(text)) throw new Error(`${what} read what the final value does not begin with`);
        timed.push({ startMs, endMs, low: text.length, what });
      }
    }
    checkRealTime(timed);
  }

  private checkCounts(key: string, final: number): void {
    const ofKey = this.history.filter((done) => done.key === key && done.kind === 'increment');
    const done = ofKey.filter(({ status }) => status === Status.ok);
    const unknown = ofKey.filter(({ status }) => status === Status.unknown).length;
    if (final < done.length || final > done.length + unknown) {
      throw new Error(`${key}: counted to ${final} with ${done.length} increments acknowledged and ${unknown} unknown`);
    }
    if (new Set(done.map(({ value }) => value)).size !== done.length)
      throw new Error(`${key}: two increments got the same answer`);
    checkRealTime(
      done.map(({ startMs, endMs, value, token }) => ({
        startMs,
        endMs,
        low: Number(value),
        what: `${key}: increment ${token}`,
      })),
    );
  }
}

/** What began after something ended sees at least as much. */
function checkRealTime(timed: { startMs: number; endMs: number; low: number; what: string }[]): void {
  const byStart = [...timed].sort((a, b) => a.startMs - b.startMs);
  const byEnd = [...timed].sort((a, b) => a.endMs - b.endMs);
  let ended = 0;
  let low = 0;
  let by = '';
  for (const operation of byStart) {
    for (let next = byEnd[ended]; next !== undefined && next.endMs < operation.startMs; next = byEnd[++ended]) {
      if (next.low > low) {
        low = next.low;
        by = next.what;
      }
    }
    if (operation.low < low)
      throw new Error(`${operation.what} saw ${operation.low}, though ${by} had ended with ${low}`);
  }
}
