/**
 * What trimming and ending groups leave of a stream: nobody sees it any more, and changes of the stream delete it on
 * their way, so many elements at a time.
 */
import { invariant } from '../../shared/errors.js';
import { nextId } from '../../shared/stream-ids.js';
import type { RowElements } from './row-elements.js';
import {
  DEAD_GROUPS_BEGIN,
  DEAD_GROUPS_END,
  ENTRIES_END,
  entryKey,
  idOfEntry,
  memberKey,
  numberOfDeadGroup,
  type StreamFacts,
} from './stream-facts.js';

/** Entries before the first one. `length`: of the stream. */
export function sweepEntries(elements: RowElements, facts: StreamFacts, length: number, most: number): void {
  if (facts.leftFrom === null) return;
  const lt = length === 0 ? ENTRIES_END : entryKey(facts.firstId);
  const left = elements.range({ gte: entryKey(facts.leftFrom), lt, reverse: false, limit: most });
  for (const { sortKey } of left) elements.remove(sortKey);
  const last = left.at(-1);
  facts.leftFrom = last === undefined || left.length < most ? null : nextId(idOfEntry(last.sortKey));
}

/** What belongs to one dead group, and its mark with the last of it. */
export function sweepGroups(elements: RowElements, facts: StreamFacts, most: number): void {
  if (facts.deadGroups === 0) return;
  const [dead] = elements.range({ gte: DEAD_GROUPS_BEGIN, lt: DEAD_GROUPS_END, reverse: false, limit: 1 });
  invariant(dead !== undefined, 'a dead group has its mark');
  const number = numberOfDeadGroup(dead.sortKey);
  const left = elements.range({ gte: memberKey(number), lt: memberKey(number + 1), reverse: false, limit: most });
  for (const { sortKey } of left) elements.remove(sortKey);
  if (left.length === most) return;
  elements.remove(dead.sortKey);
  facts.deadGroups--;
}
