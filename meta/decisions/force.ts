/** The administrator's choice for a partition whose members do not come back, where meta must not choose by itself. */
import { type Decision, force } from './guardian.js';
import { seatState, type Situation } from './situation.js';

export type ForceJudgement = { readonly decision: Decision } | { readonly refusal: string };

export function judgeForce(situation: Situation, id: number, node: string): ForceJudgement {
  const partition = situation.partitions.find(({ record }) => record.partition.id === id);
  if (partition === undefined) return { refusal: `there is no partition ${id}` };
  const { primary } = partition.record.partition.configuration;
  if (primary !== null && seatState(situation.servers, primary) === 'alive') {
    return { refusal: `partition ${id} has a primary, ${primary.node}; nothing needs to be recovered` };
  }
  const server = situation.servers.get(node);
  if (server === undefined || !server.alive || !server.present) return { refusal: `server ${node} is not there` };
  const { served } = partition.record;
  if (served && !server.reports.has(id)) return { refusal: `server ${node} has no copy of partition ${id}` };
  return { decision: force(situation, partition, server) };
}
