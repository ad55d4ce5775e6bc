/** A router among servers that a test plays, on virtual time. */
import type { Environment, Timer } from '../../../shared/environment.js';
import { Code } from '../../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import type { RoutedConnection } from '../../../shared/routing/request.js';
import { Router } from '../../../shared/routing/router.js';
import type { RouterOptions } from '../../../shared/routing/router-options.js';
import { Kind, Status, type SettleMessage } from '../../../shared/wire/messages.js';
import { FakeNetwork, partitionAt, serverOrigin, viewOf } from '../proxy/memory-partition.js';

/** Time that passes only when a test says so. */
export class VirtualEnvironment implements Environment {
  private now = 0;
  private timers: { at: number; run: () => void }[] = [];

  monotonicMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { at: this.now + delayMs, run };
    this.timers.push(timer);
    return { cancel: () => void (this.timers = this.timers.filter((other) => other !== timer)) };
  }

  defer(run: () => void): void {
    this.after(0, run);
  }

  random(): number {
    return 0.5;
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.now = Math.max(this.now, due.at);
      due.run();
    }
    this.now = until;
  }
}

export interface World {
  readonly environment: VirtualEnvironment;
  readonly network: FakeNetwork;
  readonly router: Router;
  readonly connection: RoutedConnection;
  readonly outcomes: [name: string, status: number, value: OperationResult][];
  submit(name: string, options?: { connection?: RoutedConnection; read?: boolean; bytes?: number }): void;
  /** Names of the requests sent to a node, oldest first. */
  sentTo(node: string): string[];
}

export function world(options: Partial<RouterOptions> = {}): World {
  const environment = new VirtualEnvironment();
  const network = new FakeNetwork();
  const router = new Router(environment, network, {
    metaHost: 'm',
    metaPort: 1,
    deadlineMs: 10_000,
    isReadOnly: (code) => code === Code.get,
    describe: () => ({
      node: 'proxy',
      role: 'proxy',
      boot: 'p1',
      host: 'h',
      port: 1,
      machine: 'm',
      pid: 1,
      state: 'alive',
    }),
    ...options,
  });
  router.start();
  const connection = router.connect(() => undefined);
  const outcomes: World['outcomes'] = [];
  const table = router.table('default');
  return {
    environment,
    network,
    router,
    connection,
    outcomes,
    submit(name, { connection: from = connection, read = false, bytes = 1 } = {}) {
      const operation: Operation = read
        ? [Code.get, Buffer.from(name)]
        : [Code.set, Buffer.from(name), Buffer.alloc(bytes)];
      router.submit(table, 5, from, 0, operation, {
        onOutcome: (status, value) => outcomes.push([name, status, value]),
      });
    },
    sentTo: (node) => network.requests(node).map((request) => String(request[9][1])),
  };
}

export function withPrimary(options: Partial<RouterOptions> = {}): World {
  const made = world(options);
  made.network.connect(serverOrigin('a'));
  made.network.view(viewOf([partitionAt('a')]));
  return made;
}

export function answer(
  made: World,
  node: string,
  name: string,
  status: number = Status.ok,
  value: OperationResult = true,
): void {
  const request = made.network
    .requests(node)
    .filter((sent) => String(sent[9][1]) === name)
    .at(-1);
  made.network.reply(node, request?.[1] ?? 0, status, value);
}

export function settles(made: World, node: string): SettleMessage[] {
  return made.network.sent
    .filter((sent) => sent.node === node && sent.message[0] === Kind.settle)
    .map(({ message }) => message as unknown as SettleMessage);
}
