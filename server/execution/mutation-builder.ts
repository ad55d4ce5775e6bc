/** The mutation that is being gathered: the writes of a turn, with what must be logged beside them. */
import { limits } from '../../shared/limits.js';
import type { Annotation, Group, KeptResult, SessionChange } from '../replication/mutation.js';
import type { Attempt } from './attempt.js';

export interface MutationParts {
  readonly timeMs: number;
  readonly groups: Group[];
  readonly results: KeptResult[];
  readonly annotations: Annotation[];
  readonly sessions: SessionChange[];
}

export class MutationBuilder {
  results: KeptResult[] = [];
  annotations: Annotation[] = [];
  sessions: SessionChange[] = [];
  /** It is there for its time, if for nothing else. */
  marksTime = false;
  private groups: Group[] = [];
  private bytes = 0;

  get empty(): boolean {
    return this.groups.length === 0 && this.sessions.length === 0 && this.annotations.length === 0 && !this.marksTime;
  }

  get full(): boolean {
    return this.bytes >= limits.mutationBytes || this.groups.length >= limits.mutationOperations;
  }

  /** Takes an operation's writes over; false: it has none. */
  add(attempt: Attempt): boolean {
    const { groups } = this;
    const before = groups.length;
    if (!attempt.commit(groups)) return false;
    for (let i = before; i < groups.length; i++) {
      for (const write of groups[i]!.writes) this.bytes += 8 + write.key.length + (write.value?.length ?? 0);
    }
    return true;
  }

  /** All of it; the next one begins empty, with arrays of its own: the primary applies from these very ones, later. */
  take(timeMs: number): MutationParts {
    const { groups, results, annotations, sessions } = this;
    this.groups = [];
    this.results = [];
    this.annotations = [];
    this.sessions = [];
    this.marksTime = false;
    this.bytes = 0;
    return { timeMs, groups, results, annotations, sessions };
  }
}
