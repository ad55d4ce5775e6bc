/** A router without a network: partitions are fake ones in this process, and the test decides when they answer. */
import type { ClientRouter } from '../../../shared/client/client.js';
import { ClientError } from '../../../shared/errors.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { RoutedConnection, type Completion } from '../../../shared/routing/request.js';
import { RoutedPartition, RoutedTable } from '../../../shared/routing/routing-table.js';
import { Status } from '../../../shared/wire/messages.js';
import { FakePartition } from '../rows/fake-view.js';

export class FakeRouter implements ClientRouter {
  readonly connection: RoutedConnection;
  readonly submitted: Operation[] = [];
  /** What the next operation ends with instead of being executed. */
  nextOutcome: { status: number; value: OperationResult } | null = null;
  stopped = false;
  released = false;
  #known: readonly { partition: FakePartition; routed: RoutedPartition }[] = [];
  readonly #tables = new Map<string, RoutedTable>();

  constructor() {
    this.connection = new RoutedConnection(1, () => undefined);
  }

  /** As if meta had told of the table: `count` partitions of equal ranges. */
  create(name: string, count: number): FakePartition[] {
    const table = this.table(name);
    const width = 16_384 / count;
    this.#known = Array.from({ length: count }, (_, index) => {
      const [fromSlot, toSlot] = [index * width, (index + 1) * width - 1];
      const partition = new FakePartition();
      partition.slots = { from: fromSlot, to: toSlot };
      const configuration = { partition: index, ballot: 1, primary: null, secondaries: [], predecessorGone: true };
      const routed = new RoutedPartition(
        { id: index, table: 1, fromSlot, toSlot, rangeVersion: 1, configuration },
        table,
      );
      table.bySlot.fill(routed, fromSlot, toSlot + 1);
      return { partition, routed };
    });
    return this.#known.map(({ partition }) => partition);
  }

  table(name: string): RoutedTable {
    const table = this.#tables.get(name) ?? new RoutedTable(name);
    this.#tables.set(name, table);
    return table;
  }

  connect(onDrain: () => void): RoutedConnection {
    this.connection.onDrain = onDrain;
    return this.connection;
  }

  release(connection: RoutedConnection): void {
    this.released = connection === this.connection;
  }

  stop(): void {
    this.stopped = true;
  }

  submit(
    table: RoutedTable,
    slot: number,
    _connection: RoutedConnection,
    db: number,
    operation: Operation,
    completion: Completion,
  ): void {
    this.submitted.push(operation);
    const outcome = this.nextOutcome ?? this.#execute(table, slot, db, operation);
    this.nextOutcome = null;
    queueMicrotask(() => completion.onOutcome(outcome.status, outcome.value));
  }

  #execute(
    table: RoutedTable,
    slot: number,
    db: number,
    operation: Operation,
  ): { status: number; value: OperationResult } {
    try {
      const value = this.#of(table, slot)?.partition.execute(operation, db) ?? null;
      return { status: Status.ok, value };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { status: Status.clientError, value: error.message };
    }
  }

  #of(table: RoutedTable, slot: number): { partition: FakePartition; routed: RoutedPartition } | undefined {
    return this.#known.find(
      ({ routed }) => routed.table === table && routed.facts.fromSlot <= slot && slot <= routed.facts.toSlot,
    );
  }
}
