/** The administrator's choice for a partition whose members do not come back, where meta must not choose by itself. */
import { type Configure, force } from './guardian.js';
import { assess, lossesOf } from './recovery.js';
import { seatState, type Situation } from './situation.js';

/** `losses`: what may be lost with it, in words. */
export type ForceJudgement =
  | { readonly decision: Configure; readonly losses: readonly string[] }
  | { readonly refusal: string };

export function judgeForce(situation: Situation, id: number, node: string): ForceJudgement {
  const partition = situation.partitions.find(({ record }) => record.partition.id === id);
  if (partition === undefined) return { refusal: `there is no partition ${id}` };
  const { primary } = partition.record.partition.configuration;
  if (primary !== null && seatState(situation.servers, primary) === 'alive') {
    return { refusal: `partition ${id} has a primary, ${primary.node}; nothing needs to be recovered` };
  }
  const server = situation.servers.get(node);
  if (server === undefined || !server.alive || !server.present) return { refusal: `server ${node} is not there` };
  const secondary = partition.record.partition.configuration.secondaries.find(
    (seat) => seatState(situation.servers, seat) === 'alive',
  );
  if (secondary !== undefined)
    return { refusal: `partition ${id} has a secondary that lives, ${secondary.node}, and goes on with it by itself` };
  const { served } = partition.record;
  if (served && !server.reports.has(id)) return { refusal: `server ${node} has no copy of partition ${id}` };
  return { decision: force(situation, partition, server), losses: lossesOf(assess(situation, partition), node) };
}
