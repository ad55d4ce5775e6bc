/** The replication core's vocabulary, gathered for its files. */
export { type Configuration, type Proposal, type Seat, sameSeat } from '../../shared/cluster.js';
export type { ReplicaRole } from '../../shared/wire/messages.js';
