/**
 * What scripts have called, for INFO: a proxy sees of a script that it was called. Each run counts for itself, and is added
 * to what its primary has counted when it has ended: until then it may be begun anew. As in Redis, an error is one error,
 * however far it goes: one that a script passes on as its own is left to the proxy, which counts what it answers.
 */
export interface CommandCalls {
  calls: number;
  usec: number;
  /** Refused before it ran. */
  rejected: number;
  failed: number;
}

export class CallStatistics {
  /** By name: `get`, `client|list`. */
  readonly commands = new Map<string, CommandCalls>();
  /** By the first word of their text. */
  readonly errors = new Map<string, number>();

  executed(name: string, usec: number, error: string | null): void {
    const command = this.of(name);
    command.calls += 1;
    command.usec += usec;
    if (error === null) return;
    command.failed += 1;
    this.error(error, 1);
  }

  /** `name` null: there is no such command. */
  rejected(name: string | null, error: string): void {
    if (name !== null) this.of(name).rejected += 1;
    this.error(error, 1);
  }

  /** An error that was counted is what the script ends with. */
  passedOn(error: string): void {
    this.error(error, -1);
  }

  add(run: CallStatistics): void {
    for (const [name, { calls, usec, rejected, failed }] of run.commands) {
      const command = this.of(name);
      command.calls += calls;
      command.usec += usec;
      command.rejected += rejected;
      command.failed += failed;
    }
    for (const [kind, count] of run.errors) this.errors.set(kind, (this.errors.get(kind) ?? 0) + count);
  }

  reset(): void {
    this.commands.clear();
    this.errors.clear();
  }

  private of(name: string): CommandCalls {
    let command = this.commands.get(name);
    if (command === undefined) {
      command = { calls: 0, usec: 0, rejected: 0, failed: 0 };
      this.commands.set(name, command);
    }
    return command;
  }

  private error(text: string, count: 1 | -1): void {
    const end = text.indexOf(' ');
    const kind = end < 0 ? text : text.slice(0, end);
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + count);
  }
}
