/** The face that an attempt shows to operations: the View on one database. */
import type { ClientError } from '../../shared/errors.js';
import type { KeyEvent } from '../../shared/key-events.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { ScriptEngine } from '../scripting/engine.js';
import type { Attempt } from './attempt.js';
import type { Broker } from './broker.js';
import type { MemoryLimits } from './memory-limits.js';
import { memoryWrite, notificationsWrite } from './settings.js';
import type {
  Element,
  ElementRange,
  MemoryFacts,
  Row,
  RowChange,
  ScanPosition,
  ScannedKey,
  Tallies,
  View,
} from './view.js';

export class DatabaseView implements View {
  readonly db: number;
  private readonly attempt: Attempt;

  constructor(attempt: Attempt, db: number) {
    this.attempt = attempt;
    this.db = db;
  }

  get nowMs(): number {
    return this.attempt.nowMs;
  }

  get slots(): { readonly from: number; readonly to: number } {
    return this.attempt.facts.slots;
  }

  get syncsWrites(): boolean {
    return this.attempt.facts.syncsWrites;
  }

  get multiKey(): 'any' | 'slot' {
    return this.attempt.facts.multiKey;
  }

  get broker(): Broker {
    return this.attempt.broker;
  }

  record(name: string): Buffer | null {
    return this.attempt.record(name);
  }

  putRecord(name: string, value: Buffer | null): void {
    this.attempt.putRecord(name, value);
  }

  get isPart(): boolean {
    return this.attempt.isPart;
  }

  get engine(): ScriptEngine {
    return this.attempt.engine;
  }

  notify(event: KeyEvent, key: Buffer): void {
    const { broker } = this.attempt;
    if (broker.events !== 0) broker.notify(this.db, event, key);
  }

  notifyMiss(key: Buffer): void {
    const { broker } = this.attempt;
    if (broker.events !== 0 && broker.reads) broker.notify(this.db, 'keymiss', key);
  }

  isPast(timeMs: number): boolean {
    return this.attempt.isPast(timeMs);
  }

  random(): number {
    return this.attempt.random.next();
  }

  inDatabase(db: number): View {
    return this.attempt.database(db);
  }

  part(run: () => OperationResult): OperationResult | ClientError {
    return this.attempt.part(run);
  }

  row(key: Buffer): Row | null {
    const { row } = this.attempt.touch(this.db, key);
    if (row === null) this.notifyMiss(key);
    else this.attempt.access(row);
    return row;
  }

  peek(key: Buffer): Row | null {
    return this.attempt.touch(this.db, key).row;
  }

  put(key: Buffer, previous: Row | null, change: RowChange): Row {
    return this.attempt.put(this.db, key, previous, change);
  }

  remove(key: Buffer): boolean {
    return this.attempt.remove(this.db, key);
  }

  element(key: Buffer, row: Row, sortKey: Buffer): Buffer | null {
    return this.attempt.element(this.db, key, row, sortKey);
  }

  expect(key: Buffer, row: Row, sortKeys: readonly Buffer[]): void {
    this.attempt.expect(this.db, key, row, sortKeys);
  }

  expectRows(keys: readonly Buffer[]): void {
    const { attempt } = this;
    if (keys.length >= attempt.head.expectedMin) attempt.head.expect(attempt.rowsToFetch(this.db, keys));
  }

  putElement(key: Buffer, row: Row, sortKey: Buffer, value: Buffer): void {
    this.attempt.putElement(this.db, key, row, sortKey, value);
  }

  removeElement(key: Buffer, row: Row, sortKey: Buffer): void {
    this.attempt.putElement(this.db, key, row, sortKey, null);
  }

  elements(key: Buffer, row: Row, range: ElementRange): Element[] {
    return this.attempt.elements(this.db, key, row, range);
  }

  scan(from: ScanPosition, count: number): { keys: ScannedKey[]; next: ScanPosition | null } {
    return this.attempt.scan(this.db, from, count);
  }

  count(): { keys: number; expires: number } {
    return this.attempt.count(this.db);
  }

  randomKey(): Buffer | null {
    return this.attempt.randomKey(this.db);
  }

  flush(): void {
    this.attempt.flush(this.db);
  }

  swapDatabases(a: number, b: number): void {
    this.attempt.swapDatabases(a, b);
  }

  setActiveExpiry(on: boolean): void {
    this.attempt.setActiveExpiry(on);
  }

  get memory(): MemoryFacts {
    const { head } = this.attempt;
    return { bytes: head.counts.total('bytes'), evicted: head.tallies.evicted, limits: head.settings.memory };
  }

  get tallies(): Tallies {
    return this.attempt.head.tallies;
  }

  setMemoryLimits(limits: MemoryLimits): void {
    this.attempt.changeSetting(memoryWrite(limits));
  }

  get notifications(): string {
    return this.attempt.head.settings.notifications;
  }

  set notifications(letters: string) {
    this.attempt.changeSetting(notificationsWrite(letters));
  }
}
