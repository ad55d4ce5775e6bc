/** What an administrator sees of partitions that wait: for every member and every other copy, what meta knows of it. */
import { lossesOf, type MemberReport, type Recovery } from './decisions/recovery.js';

export interface RecoveryRow {
  readonly table: string;
  readonly partition: number;
  /** How long this run of meta has been waiting. */
  readonly waitingMs: number;
  readonly node: string;
  readonly was: 'primary' | 'secondary' | 'earlier member' | 'no member';
  readonly state: string;
  /** Of its copy; null where it has none, or none is known. */
  readonly ballot: number | null;
  readonly end: number | null;
  readonly applied: number | null;
  /** How long ago it was heard of; null: not since this meta started. */
  readonly silentMs: number | null;
  /** What speaks against it. */
  readonly note: string;
}

/** What the report needs to know beside the assessment itself. */
export interface Surroundings {
  readonly table: string;
  readonly waitingMs: number;
  readonly primary: string | null;
  silentMs(node: string): number | null;
  /** Why its registration was refused, if it was. */
  refusal(node: string): string | null;
}

export function recoveryRows(recovery: Recovery, surroundings: Surroundings): RecoveryRow[] {
  const { table, waitingMs, primary } = surroundings;
  const isOther = new Set(recovery.others);
  const isEarlier = new Set(recovery.earlier);
  const was = (report: MemberReport): RecoveryRow['was'] => {
    if (isOther.has(report)) return 'no member';
    if (isEarlier.has(report)) return 'earlier member';
    return report.node === primary ? 'primary' : 'secondary';
  };
  return [...recovery.members, ...recovery.earlier, ...recovery.others].map((report) => {
    const { node, state, copy } = report;
    const contradiction = recovery.contradictions.find((text) => text.startsWith(`${node} `));
    return {
      table,
      partition: recovery.partition,
      waitingMs,
      node,
      was: was(report),
      state,
      ballot: copy?.ballot ?? null,
      end: copy?.end ?? null,
      applied: copy?.applied ?? null,
      silentMs: surroundings.silentMs(node),
      note: [surroundings.refusal(node) ?? '', contradiction ?? ''].filter((text) => text !== '').join('; '),
    };
  });
}

/** What choosing `node` means, in a sentence for whoever is about to do it. */
export function consequences(recovery: Recovery, node: string): string {
  const losses = lossesOf(recovery, node);
  return losses.length === 0
    ? `${node} has everything that the others have`
    : `choosing ${node} may lose: ${losses.join('; ')}`;
}
