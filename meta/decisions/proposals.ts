/**
 * What a replica may change about its partition. The compare-and-swap on the ballot settles who was
 * first; these rules settle who may ask for what, so that a bug or a stale process cannot take away
 * a member that holds committed data.
 *
 *   the primary     may add and drop secondaries; may hand over to a secondary after it stopped serving
 *   a secondary     may make itself primary (after grace: its own to know), without the old primary
 *   anybody else    nothing
 */
import { type Configuration, members, type Proposal, sameSeat, type Seat } from '../../shared/cluster.js';
import type { PartitionRecord } from '../state.js';
import { stillUncertain } from './guardian.js';
import { seatState, type ServerSituation } from './situation.js';

export type Judgement =
  | { readonly accepted: true; readonly configuration: Configuration; readonly uncertain: readonly Seat[] }
  | { readonly accepted: false; readonly reason: string };

export function judge(
  record: PartitionRecord,
  servers: ReadonlyMap<string, ServerSituation>,
  proposer: Seat,
  proposal: Proposal,
): Judgement {
  const { configuration } = record.partition;
  const refusal = whyNot(configuration, servers, proposer, proposal);
  if (refusal !== null) return { accepted: false, reason: refusal };
  // Who hands over has stopped; who drops or adds goes on itself; after a grace period the old primary may still be unsure.
  const succeeded = !sameSeat(proposer, configuration.primary) && configuration.primary !== null;
  const uncertain = stillUncertain(
    servers,
    succeeded && configuration.primary !== null ? [...record.uncertain, configuration.primary] : record.uncertain,
  );
  return {
    accepted: true,
    configuration: {
      partition: proposal.partition,
      ballot: configuration.ballot + 1,
      primary: proposal.primary,
      secondaries: proposal.secondaries,
      predecessorGone: uncertain.length === 0,
    },
    uncertain,
  };
}

function whyNot(
  configuration: Configuration,
  servers: ReadonlyMap<string, ServerSituation>,
  proposer: Seat,
  proposal: Proposal,
): string | null {
  if (proposal.ballot !== configuration.ballot)
    return `ballot ${configuration.ballot} is in force, not ${proposal.ballot}`;
  if (seatState(servers, proposer) === 'dead') return 'the proposer is an earlier boot';
  const seats = [proposal.primary, ...proposal.secondaries];
  if (new Set(seats.map((seat) => seat.node)).size !== seats.length) return 'a server would have two seats';
  const old = members(configuration);
  if (sameSeat(proposer, configuration.primary)) {
    if (sameSeat(proposal.primary, proposer)) {
      const stranger = proposal.secondaries.find((seat) => !isMember(old, seat) && !mayJoin(servers, seat));
      return stranger === undefined ? null : `${stranger.node} would join as a boot that is dead or unknown`;
    }
    if (!proposal.handover) return 'a primary names another one only when it hands over';
    if (!isMember(configuration.secondaries, proposal.primary)) return 'only a secondary can take over';
    return seats.every((seat) => isMember(old, seat)) ? null : 'handing over adds no member';
  }
  if (!isMember(configuration.secondaries, proposer)) return 'the proposer is no member';
  if (!sameSeat(proposal.primary, proposer)) return 'a secondary proposes only itself';
  return proposal.secondaries.every((seat) => isMember(configuration.secondaries, seat))
    ? null
    : 'a secondary keeps other secondaries and nobody else';
}

/** Seats go to registered boots only: that is what lets any other boot of a node count as an older one. */
function mayJoin(servers: ReadonlyMap<string, ServerSituation>, seat: Seat): boolean {
  return servers.has(seat.node) && seatState(servers, seat) !== 'dead';
}

function isMember(seats: readonly Seat[], seat: Seat): boolean {
  return seats.some((member) => sameSeat(member, seat));
}
