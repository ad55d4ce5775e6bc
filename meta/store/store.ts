/**
 * Where meta keeps its state: rows of text under text keys, written atomically and durably. `level.ts`
 * is the embedded one, `memory.ts` its twin for tests and the simulator; test/unit/meta/store-conformance
 * runs on both.
 */
export interface StateChange {
  readonly key: string;
  /** `null`: the row goes. */
  readonly value: string | null;
}

export interface StateStore {
  /** Every row. Called once, before any `write`. */
  load(done: (error: Error | null, rows: Map<string, string>) => void): void;
  /** All of it or nothing, and synced before `done`. One write at a time. */
  write(changes: readonly StateChange[], done: (error: Error | null) => void): void;
  close(done: (error: Error | null) => void): void;
}
