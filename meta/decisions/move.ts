/** Whether a partition's primary may be asked to hand over to a secondary. */
import { seatState, type Situation } from './situation.js';

export type MoveJudgement = { readonly primary: string; readonly ballot: number } | { readonly refusal: string };

export function judgeMove({ partitions, servers }: Situation, id: number, to: string): MoveJudgement {
  const configuration = partitions.find(({ record }) => record.partition.id === id)?.record.partition.configuration;
  if (configuration === undefined) return { refusal: `there is no partition ${id}` };
  const { primary, secondaries, ballot } = configuration;
  if (primary === null || seatState(servers, primary) !== 'alive')
    return { refusal: `partition ${id} has no primary that could hand over` };
  if (primary.node === to) return { refusal: `${to} is the primary of partition ${id} already` };
  const successor = secondaries.find((seat) => seat.node === to);
  if (successor === undefined) return { refusal: `${to} is no secondary of partition ${id}` };
  if (seatState(servers, successor) !== 'alive') return { refusal: `${to} is not there` };
  return { primary: primary.node, ballot };
}
