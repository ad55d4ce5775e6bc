/** Hands histories to the checking thread, keeps those that fail, and says when too many wait. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Operation, writeHistory } from '../checking/history.js';
import { eventually } from '../cluster/condition.js';
import type { CheckAnswer, CheckRequest } from './check-worker.js';

/** Above this the load waits: histories are memory. */
const WAITING_MAX = 400;
const DRAIN_MS = 10 * 60_000;

export class Histories {
  checked = 0;
  operations = 0;
  undecided = 0;
  readonly violations: string[] = [];
  private readonly worker = new Worker(new URL('./check-worker.js', import.meta.url));
  private readonly waiting = new Map<number, { readonly name: string; readonly operations: readonly Operation[] }>();
  private readonly failedFolder: string;
  private submitted = 0;
  private broken: Error | null = null;

  /** `failedFolder` is made when a history fails, and holds it then. */
  constructor(failedFolder: string) {
    this.failedFolder = failedFolder;
    this.worker.on('message', (answer: CheckAnswer) => this.onAnswer(answer));
    this.worker.on('error', (error) => {
      this.broken = error;
    });
  }

  get crowded(): boolean {
    return this.waiting.size >= WAITING_MAX;
  }

  submit(name: string, operations: readonly Operation[]): void {
    const id = ++this.submitted;
    this.waiting.set(id, { name, operations });
    this.worker.postMessage({ id, operations: [...operations].sort((a, b) => a.id - b.id) } satisfies CheckRequest);
  }

  /** Resolves when all are checked. Rejects when the checker itself failed. */
  async drain(): Promise<void> {
    await eventually(
      'every history is checked',
      () => (this.broken !== null || this.waiting.size === 0 ? true : undefined),
      DRAIN_MS,
    );
    await this.worker.terminate();
    if (this.broken !== null) throw new Error('the checker failed', { cause: this.broken });
  }

  private onAnswer({ id, failures }: CheckAnswer): void {
    const history = this.waiting.get(id);
    this.waiting.delete(id);
    this.checked++;
    this.operations += history?.operations.length ?? 0;
    if (failures.length === 0 || history === undefined) return;
    const file = join(this.failedFolder, `${history.name}.jsonl`);
    mkdirSync(this.failedFolder, { recursive: true });
    writeHistory(file, history.operations);
    for (const { kind, explanation } of failures) {
      if (kind === 'undecided') this.undecided++;
      else this.violations.push(`${explanation}\n(all of it: ${file})`);
    }
  }
}
