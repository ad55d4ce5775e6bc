/**
 * Applies what a learner logged while it copied a snapshot: from memory where it is still there, else from the log.
 * Mutations go on coming meanwhile, so it goes at the server's pace only as long as the distance shrinks by half of
 * what it applies; when more is written it hurries, and the distance shrinks as long as the store is faster than
 * twice the traffic.
 */
import { limits } from '../../shared/limits.js';
import type { Prepared } from '../replication/prepare-list.js';
import type { Partition } from './partition.js';

export function catchUp(partition: Partition, done: () => void): void {
  const { list } = partition.replica;
  const next = partition.applier.state.decree + 1;
  if (next > list.committed || list.get(next) !== undefined) {
    for (let decree = next; decree <= list.committed; decree++) partition.applier.push(list.get(decree)!);
    return done();
  }
  const { committed } = list;
  const page = new Map<number, Prepared>();
  let bytes = 0;
  partition.host.log.read(
    partition.id,
    partition.stay,
    next,
    ({ decree, ballot, body }) => {
      if (decree > committed) return true;
      if (!page.has(decree)) bytes += body.length;
      page.set(decree, { decree, ballot, body, decoded: null });
      return bytes < limits.catchUpReadBytes;
    },
    (error) => {
      if (error !== null) return partition.fail(error);
      applySlices(partition, page, next, () => catchUp(partition, done));
    },
  );
}

/** Applies the page from `next` on, a slice at a time. */
function applySlices(partition: Partition, page: ReadonlyMap<number, Prepared>, next: number, done: () => void): void {
  const { host, applier, replica } = partition;
  const beganMs = host.environment.monotonicMs();
  const committed = replica.list.committed;
  let decree = next;
  let bytes = 0;
  for (
    let entry = page.get(decree);
    entry !== undefined && bytes < limits.catchUpApplyBytes;
    entry = page.get(decree)
  ) {
    applier.push(entry);
    bytes += entry.body.length;
    decree++;
  }
  if (decree === next) return done();
  applier.whenApplied(() => {
    const tookMs = host.environment.monotonicMs() - beganMs;
    const came = partition.replica.list.committed - committed;
    // while this many were applied, half as many may come
    const mayTakeMs = came === 0 ? Number.POSITIVE_INFINITY : (tookMs * (decree - next)) / (2 * came);
    const pauseMs = Math.min(host.pace.msFor(bytes, host.learners.count), mayTakeMs) - tookMs;
    if (pauseMs <= 0) applySlices(partition, page, decree, done);
    else host.environment.after(pauseMs, () => applySlices(partition, page, decree, done));
  });
}
