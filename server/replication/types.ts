/** What the parts of one replica share: the state that messages, ticks and completions move. */
import type { Configuration, Seat } from '../../shared/cluster.js';
import type { ReplicaRole } from '../../shared/wire/messages.js';
import type { ReplicaEffects, ReplicaOptions } from './effects.js';
import type { PrepareList } from './prepare-list.js';

export const NEVER = Number.NEGATIVE_INFINITY;

export interface ReplicaState {
  readonly options: ReplicaOptions;
  readonly effects: ReplicaEffects;
  role: ReplicaRole;
  /** The highest seen: nothing of a lower one is accepted. */
  ballot: number;
  /** The newest known; its ballot may lag behind `ballot`, which a prepare can raise first. */
  configuration: Configuration;
  list: PrepareList;
  /** Learning attempt this replica is the learner of; 0: none. */
  attempt: number;
  /** Who teaches this learner. */
  teacher: Seat | null;
  /** Counts adoptions of a ballot: a log completion of an earlier one says nothing about this one. */
  epoch: number;
  /** Its log or store failed: it takes part no more. */
  broken: boolean;
}
