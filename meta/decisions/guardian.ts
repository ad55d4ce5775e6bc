/**
 * Every partition should have its replicas: the guardian looks at each and says what meta should do.
 *
 *   never assigned            → primary and secondaries at once, ballot 1
 *   primary alive             → ask it to teach a server for each replica that is missing; removing
 *                               and adding members is the primary's own to propose
 *   primary lost, and every
 *     secondary hears it      → nothing: it is only meta that is cut off from it, and it serves; should it fail, they
 *                               will hear it no more, and propose themselves
 *   primary dead or lost,
 *     a secondary alive       → that one becomes primary: it has logged all that was ever committed
 *     nobody alive            → recovery.ts: wait until every member came back and said what it has
 *
 * A primary that is only lost may still be serving: its successor then waits out the grace period
 * (`predecessorGone` false). How many replicas a write needs plays no part here; the primary sees to it.
 */
import type { Configuration, Seat } from '../../shared/cluster.js';
import { members } from '../../shared/cluster.js';
import { Placement } from './placement.js';
import { assess, describeCopy } from './recovery.js';
import { type PartitionSituation, seatOf, seatState, type ServerSituation, type Situation } from './situation.js';

export interface Configure {
  readonly kind: 'configure';
  readonly configuration: Configuration;
  readonly uncertain: readonly Seat[];
  readonly reason: string;
  /** An administrator chose a copy that was applied up to here: others may differ from it above (see `Forced`). */
  readonly forcedFrom?: number;
}

export type Decision =
  | Configure
  | {
      readonly kind: 'teach';
      readonly partition: number;
      readonly ballot: number;
      readonly primary: string;
      readonly seat: Seat;
    }
  | { readonly kind: 'wait'; readonly partition: number; readonly nodes: readonly string[]; readonly reason: string };

export function guard(situation: Situation): Decision[] {
  const placement = new Placement(situation);
  return situation.partitions.flatMap((partition) => {
    const { primary, ballot } = partition.record.partition.configuration;
    if (ballot === 0) return assign(situation, placement, partition);
    if (primary !== null && seatState(situation.servers, primary) === 'alive') {
      return replenish(situation, placement, partition, primary);
    }
    return succeed(situation, placement, partition);
  });
}

function assign(situation: Situation, placement: Placement, { record }: PartitionSituation): Decision[] {
  const { id, table } = record.partition;
  const chosen = placement.assign(situation.tables.get(table)?.replicas ?? 1);
  const [primary, ...secondaries] = chosen.map(seatOf);
  if (primary === undefined)
    return [{ kind: 'wait', partition: id, nodes: [], reason: 'no server is there to hold it' }];
  return [
    {
      kind: 'configure',
      configuration: { partition: id, ballot: 1, primary, secondaries, predecessorGone: true },
      uncertain: [],
      reason: 'first assignment',
    },
  ];
}

function replenish(
  situation: Situation,
  placement: Placement,
  partition: PartitionSituation,
  primary: Seat,
): Decision[] {
  const { id, table, configuration } = partition.record.partition;
  const replicas = situation.tables.get(table)?.replicas ?? 1;
  // A dead or lost member counts as missing only once the primary has dropped it: until then its seat is taken.
  const held = new Set([...members(configuration).map((seat) => seat.node), ...partition.learners]);
  for (const node of partition.expected) {
    const server = situation.servers.get(node);
    if (server === undefined || !server.alive || !server.present) held.add(node);
  }
  if (held.size >= replicas) return [];
  const learner = placement.learner(partition);
  if (learner === undefined) return [];
  return [{ kind: 'teach', partition: id, ballot: configuration.ballot, primary: primary.node, seat: seatOf(learner) }];
}

function succeed(situation: Situation, placement: Placement, partition: PartitionSituation): Decision[] {
  const { servers } = situation;
  const { configuration } = partition.record.partition;
  const alive = configuration.secondaries.filter((seat) => seatState(servers, seat) === 'alive');
  if (alive.length === 0) return recover(situation, partition);
  const { primary: former } = configuration;
  const isLost = former !== null && seatState(servers, former) === 'lost';
  if (
    isLost &&
    configuration.secondaries.every((seat) => alive.includes(seat) && partition.hearing.includes(seat.node))
  )
    return [];
  const candidates = alive.flatMap((seat) => {
    const server = servers.get(seat.node);
    return server?.present === true ? [server] : [];
  });
  const chosen = placement.promote(candidates);
  if (chosen === undefined) {
    return [wait(configuration, alive, 'its secondaries have not registered with this run of meta yet')];
  }
  const primary = seatOf(chosen);
  return [
    succession(situation, partition, {
      primary,
      secondaries: alive.filter((seat) => seat.node !== primary.node),
      reason: `primary ${nameOf(configuration.primary)} is ${stateOf(situation, configuration.primary)}`,
    }),
  ];
}

/** Nobody of the configuration is there any more as it was (see recovery.ts). */
function recover(situation: Situation, partition: PartitionSituation): Decision[] {
  const { configuration } = partition.record.partition;
  const { verdict, missing, members: ofMembers, earlier } = assess(situation, partition);
  const reports = [...ofMembers, ...earlier];
  if (verdict.kind !== 'go on') {
    const nodes = verdict.kind === 'wait' ? missing : reports.map(({ node }) => node);
    return [{ kind: 'wait', partition: configuration.partition, nodes, reason: verdict.reason }];
  }
  const without = reports.filter(({ state }) => state === 'back without its copy').map(({ node }) => node);
  const lacking = without.length === 0 ? '' : `; without their copies: ${without.join(', ')}`;
  return [
    succession(situation, partition, {
      primary: seatOf(verdict.server),
      secondaries: [],
      reason: `all replicas were lost and came back; ${verdict.server.info.node} is furthest (${describeCopy(verdict.copy)})${lacking}`,
    }),
  ];
}

/** The administrator's choice: `node` alone, whatever the others had. */
export function force(situation: Situation, partition: PartitionSituation, server: ServerSituation): Configure {
  const { id } = partition.record.partition;
  return {
    ...succession(situation, partition, {
      primary: seatOf(server),
      secondaries: [],
      reason: `an administrator chose ${server.info.node} (${describeCopy(server.reports.get(id) ?? null)})`,
    }),
    forcedFrom: server.reports.get(id)?.applied ?? 0,
  };
}

interface Successor {
  readonly primary: Seat;
  readonly secondaries: readonly Seat[];
  readonly reason: string;
}

function succession(situation: Situation, { record }: PartitionSituation, successor: Successor): Configure {
  const { configuration } = record.partition;
  const uncertain = stillUncertain(situation.servers, [
    ...record.uncertain,
    ...(configuration.primary === null ? [] : [configuration.primary]),
  ]);
  return {
    kind: 'configure',
    configuration: {
      partition: configuration.partition,
      ballot: configuration.ballot + 1,
      primary: successor.primary,
      secondaries: successor.secondaries,
      predecessorGone: uncertain.length === 0,
    },
    uncertain,
    reason: successor.reason,
  };
}

/**
 * Of the primaries of earlier ballots, those that may still be serving. More than the last one: if a
 * primary was lost, and its successor died while it waited out the grace period, the first may hold its lease still.
 */
export function stillUncertain(servers: ReadonlyMap<string, ServerSituation>, earlier: readonly Seat[]): Seat[] {
  return earlier.filter((seat) => seatState(servers, seat) !== 'dead');
}

function wait(configuration: Configuration, seats: readonly Seat[], reason: string): Decision {
  return { kind: 'wait', partition: configuration.partition, nodes: seats.map((seat) => seat.node), reason };
}

function nameOf(seat: Seat | null): string {
  return seat === null ? 'nobody' : seat.node;
}

function stateOf(situation: Situation, seat: Seat | null): string {
  return seat === null ? 'gone' : seatState(situation.servers, seat);
}
