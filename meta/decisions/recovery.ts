/**
 * A partition that lost every member of its last configuration. Each member had everything that was ever
 * acknowledged, so nobody may go on before all of them have said what they still have: the copy that came back first
 * may be the one whose unsynced tail is gone.
 *
 *   a member has not come back             → wait for it
 *   all are back, their copies agree       → the furthest, by (ballot, end), alone; the others learn from it
 *   fewer copies than a write needs,
 *   or copies that contradict each other   → an administrator chooses (see force.ts)
 *
 * The last configuration may be one that never took effect: meta made it for members whose processes it did not know to
 * have ended. Where none of them logged anything under its ballot, nothing was written under it, and whoever was a member
 * before it is as good as they are: such a server is waited for and compared, too. Of a lone member that lost what
 * it had not synced, nothing else would be there to tell. One that was taught again since does not count: its copy
 * bears its teacher's ballot, however little of it has arrived.
 */
import { members, type ReplicaReport, type Seat } from '../../shared/cluster.js';
import { type PartitionSituation, seatState, type ServerSituation, type Situation } from './situation.js';

/** `serving`: this very boot lives. `lost`: unheard of, it may be serving. `gone`: its process ended and no other came. */
export type MemberState = 'serving' | 'lost' | 'gone' | 'back' | 'back without its copy';

export interface MemberReport {
  readonly node: string;
  readonly state: MemberState;
  /** What it has; null while that is not known, or when it has nothing. */
  readonly copy: ReplicaReport | null;
}

export interface Recovery {
  readonly partition: number;
  /** Primary of the last configuration first. */
  readonly members: readonly MemberReport[];
  /** Members of configurations before it that count too, as it does not seem to have taken effect. */
  readonly earlier: readonly MemberReport[];
  /** Copies of other servers: older, and taken by nobody but an administrator. */
  readonly others: readonly MemberReport[];
  readonly missing: readonly string[];
  /** Why the copies cannot all be what they say; empty when they agree. */
  readonly contradictions: readonly string[];
  readonly verdict:
    | { readonly kind: 'wait'; readonly reason: string }
    | { readonly kind: 'choose'; readonly reason: string }
    | { readonly kind: 'go on'; readonly server: ServerSituation; readonly copy: ReplicaReport | null };
}

export function assess(situation: Situation, { record }: PartitionSituation): Recovery {
  const { servers, tables } = situation;
  const { id, table, configuration } = record.partition;
  const seats = members(configuration);
  const ofMembers = seats.map((seat) => reportOf(situation, id, seat));
  const tookEffect = ofMembers.some(({ copy }) => copy !== null && copy.ballot >= configuration.ballot);
  const untaught = record.earlier.filter(({ node, ballot }) => (copyAt(servers.get(node), id)?.ballot ?? 0) <= ballot);
  const earlier = tookEffect ? [] : untaught.map(({ node }) => earlierReportOf(situation, id, node));
  const reports = [...ofMembers, ...earlier];
  const membersMissing = ofMembers.filter(isMissing);
  const missing = membersMissing.length > 0 ? membersMissing : earlier.filter(isMissing);
  const copies = reports.filter(isCopy).toSorted((a, b) => further(b.copy, a.copy));
  const contradictions = contradictionsAmong(copies);
  const best = copies[0];
  const isMember = new Set(reports.map(({ node }) => node));
  const others = [...servers.keys()].flatMap((node) => {
    const copy = copyAt(servers.get(node), id);
    return isMember.has(node) || copy === null ? [] : [{ node, state: 'back' as const, copy }];
  });
  const verdict = (): Recovery['verdict'] => {
    if (membersMissing.length > 0)
      return { kind: 'wait', reason: 'all replicas were lost; these members have not come back' };
    if (missing.length > 0) {
      return {
        kind: 'wait',
        reason: `all replicas were lost, and no member has anything of its last ballot, ${configuration.ballot}; these members of earlier ballots have not come back`,
      };
    }
    const server = servers.get(best?.node ?? seats[0]?.node ?? '');
    if (!record.served && server !== undefined) return { kind: 'go on', server, copy: best?.copy ?? null };
    if (contradictions.length > 0)
      return { kind: 'choose', reason: `the copies contradict each other: ${contradictions.join('; ')}` };
    // all have their stores, and nothing in them: whatever it was, it was not synced before they all lost their power
    const isEmpty = ({ node }: MemberReport): boolean => servers.get(node)?.reports.has(id) === true;
    if (copies.length === 0 && server !== undefined && reports.every(isEmpty))
      return { kind: 'go on', server, copy: null };
    const minReplicas = tables.get(table)?.minReplicas ?? 1;
    // enough of them to have written without those of earlier ballots
    const wrote = !ofMembers.some(isCopy) && seats.length >= minReplicas;
    if (copies.length === 0 || wrote)
      return { kind: 'choose', reason: 'all members came back without their data; an administrator must choose' };
    const needed = Math.min(minReplicas, reports.length);
    if (copies.length < needed && copies.length < reports.length) {
      return {
        kind: 'choose',
        reason: `only ${copies.length} of ${reports.length} members came back with their data, and a write needs ${needed}; an administrator must choose`,
      };
    }
    return server === undefined || best === undefined
      ? { kind: 'wait', reason: 'no member is known' }
      : { kind: 'go on', server, copy: best.copy };
  };
  return {
    partition: id,
    members: ofMembers,
    earlier,
    others,
    missing: missing.map(({ node }) => node),
    contradictions,
    verdict: verdict(),
  };
}

/** What an administrator who chooses `node` may lose, in words; empty when nothing is known to be lost. */
export function lossesOf(recovery: Recovery, node: string): string[] {
  const needed = [...recovery.members, ...recovery.earlier];
  const chosen = [...needed, ...recovery.others].find((report) => report.node === node)?.copy ?? null;
  const losses = needed.flatMap(({ node: member, state, copy }) => {
    if (member === node) return [];
    if (state === 'lost')
      return [`what only ${member} has, which has not come back and may still be serving: stop it first`];
    if (state === 'serving') return [`what ${member} has, which lives`];
    if (state === 'gone') return [`what only ${member} has, which has not come back`];
    if (copy === null || (chosen !== null && further(copy, chosen) <= 0)) return [];
    return [`decrees up to ${copy.end} of ballot ${copy.ballot}, which ${member} has`];
  });
  if (!needed.some((report) => report.node === node))
    losses.unshift(`everything since ${node} was a member of this partition the last time`);
  return losses;
}

export function describeCopy(copy: ReplicaReport | null): string {
  return copy === null ? 'nothing' : `ballot ${copy.ballot}, end ${copy.end}, applied ${copy.applied}`;
}

function reportOf({ servers }: Situation, partition: number, seat: Seat): MemberReport {
  const server = servers.get(seat.node);
  const { node } = seat;
  if (server === undefined) return { node, state: 'lost', copy: null };
  if (server.info.boot === seat.boot) {
    const state = seatState(servers, seat);
    return { node, state: state === 'dead' ? 'gone' : state === 'lost' ? 'lost' : 'serving', copy: null };
  }
  if (!server.alive || !server.present) return { node, state: 'gone', copy: null };
  const copy = copyAt(server, partition);
  return { node, state: copy === null ? 'back without its copy' : 'back', copy };
}

/** Of a node, in whichever boot: once it takes no part in the partition any more, what it has is what it will have. */
function earlierReportOf({ servers }: Situation, partition: number, node: string): MemberReport {
  const server = servers.get(node);
  if (server === undefined || !server.alive)
    return { node, state: server?.stopped === true ? 'gone' : 'lost', copy: null };
  if (!server.present || server.acting === null) return { node, state: 'lost', copy: null };
  if (server.acting.has(partition)) return { node, state: 'serving', copy: null };
  const copy = copyAt(server, partition);
  return { node, state: copy === null ? 'back without its copy' : 'back', copy };
}

/** One that holds nothing at all, not even the ballot-start that everybody logged, is none. */
function copyAt(server: ServerSituation | undefined, partition: number): ReplicaReport | null {
  const copy = server?.alive === true && server.present ? server.reports.get(partition) : undefined;
  return copy === undefined || copy.end === 0 ? null : copy;
}

function isMissing({ state }: MemberReport): boolean {
  return state !== 'back' && state !== 'back without its copy';
}

function isCopy(report: MemberReport): report is MemberReport & { copy: ReplicaReport } {
  return report.copy !== null;
}

/** What is applied was committed, and so every member has it: a furthest copy that ends before it has lost something. */
function contradictionsAmong(copies: readonly (MemberReport & { copy: ReplicaReport })[]): string[] {
  const [best, ...rest] = copies;
  if (best === undefined) return [];
  const found = copies
    .filter(({ copy }) => copy.applied > copy.end)
    .map(({ node, copy }) => `${node} applied ${copy.applied} and ends at ${copy.end}`);
  for (const { node, copy } of rest) {
    if (copy.applied > best.copy.end)
      found.push(
        `${node} applied ${copy.applied} under ballot ${copy.ballot}, but ${best.node}, of the higher ballot ${best.copy.ballot}, ends at ${best.copy.end}`,
      );
  }
  return found;
}

function further(a: ReplicaReport, b: ReplicaReport): number {
  return a.ballot - b.ballot || a.end - b.end;
}
