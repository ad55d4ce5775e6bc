/** Members and scores, as clients get them. */
import { formatDouble } from '../doubles.js';
import type { OperationResult } from '../operations/operation.js';
import { fromWire } from '../operations/zsets.js';
import { DoubleReply, type Reply } from './reply.js';

export const score = (result: OperationResult): Reply => (result === null ? null : new DoubleReply(fromWire(result)));

/**
 * Of member, score, member, score ...: in RESP2 one array, in RESP3 an array for each member with its score. `text`:
 * one array in which scores are bulk strings.
 */
export function scoredReply(result: OperationResult, form: 2 | 3 | 'text'): Reply {
  const flat = result as readonly OperationResult[];
  if (form === 'text') return flat.map((item, i): Reply => (i % 2 === 0 ? item : formatDouble(fromWire(item))));
  if (form === 2) return flat.map((item, i): Reply => (i % 2 === 0 ? item : score(item)));
  return Array.from({ length: flat.length / 2 }, (_, i): Reply => [flat[2 * i]!, score(flat[2 * i + 1]!)]);
}
