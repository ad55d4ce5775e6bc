/**
 * How large Redis's listpack of a stream's node would be, and how many nodes its radix tree over them would have. Only
 * the sizes are needed: where one node ends and the next begins decides what approximate trimming takes off.
 */
import { parseInteger } from '../../shared/integers.js';
import type { NodeLimits } from '../../shared/operations/streams.js';
import { ID_BYTES, millisecondsOf, sequenceOf } from '../../shared/stream-ids.js';
import type { NodeCounts } from './stream-facts.js';

/** Redis's stream-node-max-entries and stream-node-max-bytes. */
export const NODE_LIMITS: NodeLimits = [100, 4096];
/** No node is larger, and so no entry. */
export const NODE_BYTES_MAX: number = 2 ** 30;
/** A listpack's length and count before, and its end mark behind. */
const FRAME_BYTES = 7;
/** The entry's flags: what its size depends on is the same for all of them. */
const FLAGS = 0;

/** Bytes behind each element that say how long it is, for walking back. */
function withBackLength(bytes: number): number {
  if (bytes <= 127) return bytes + 1;
  if (bytes < 16_383) return bytes + 2;
  if (bytes < 2_097_151) return bytes + 3;
  return bytes + (bytes < 268_435_455 ? 4 : 5);
}

function integerBytes(value: bigint | number): number {
  if (value >= 0 && value <= 127) return 2;
  if (value >= -4096 && value <= 4095) return 3;
  if (value >= -32_768 && value <= 32_767) return 4;
  if (value >= -8_388_608 && value <= 8_388_607) return 5;
  return value >= -2_147_483_648 && value <= 2_147_483_647 ? 6 : 10;
}

function textBytes(text: Buffer): number {
  const integer = parseInteger(text);
  if (integer !== null) return integerBytes(integer);
  const { length } = text;
  return withBackLength(length + (length < 64 ? 1 : length < 4096 ? 2 : 5));
}

const textsBytes = (texts: readonly Buffer[]): number => texts.reduce((sum, text) => sum + textBytes(text), 0);

/** Of a node without entries whose first one has these fields. */
export function emptyNodeBytes(fields: readonly Buffer[]): number {
  return FRAME_BYTES + integerBytes(fields.length) + textsBytes(fields) + integerBytes(0);
}

/** What an entry adds to a node: less when its fields are those of the node's first entry. */
export function entryBytes(
  id: Buffer,
  firstId: Buffer,
  sameFields: boolean,
  fields: readonly Buffer[],
  values: readonly Buffer[],
): number {
  const ms = BigInt.asIntN(64, millisecondsOf(id) - millisecondsOf(firstId));
  const sequence = BigInt.asIntN(64, sequenceOf(id) - sequenceOf(firstId));
  const parts = 3 + values.length + (sameFields ? 0 : fields.length + 1);
  return (
    integerBytes(FLAGS) +
    integerBytes(ms) +
    integerBytes(sequence) +
    (sameFields ? 0 : integerBytes(fields.length) + textsBytes(fields)) +
    textsBytes(values) +
    integerBytes(parts)
  );
}

/** Whether an entry with `added` bytes of fields and values begins another node. */
export function isFull(node: NodeCounts, added: number, [entriesMax, bytesMax]: NodeLimits): boolean {
  const bytes = node.bytes + integerBytes(node.entries) + integerBytes(node.removed);
  const most = bytesMax === 0 ? NODE_BYTES_MAX : Math.min(bytesMax, NODE_BYTES_MAX);
  return bytes + added >= most || (entriesMax !== 0 && node.entries + node.removed >= entriesMax);
}

/** Of the radix tree over these ids, which are in order. */
export function treeNodes(ids: readonly Buffer[]): number {
  return ids.length === 0 ? 1 : below(ids, 0, ids.length, 0);
}

/** Those from `from` up to `to`, which have the first `depth` bytes in common. */
function below(ids: readonly Buffer[], from: number, to: number, depth: number): number {
  if (to - from === 1) return depth === ID_BYTES ? 1 : 2;
  const first = ids[from]!;
  const last = ids[to - 1]!;
  let fork = depth;
  while (first[fork] === last[fork]) fork++;
  let nodes = fork > depth ? 2 : 1;
  for (let start = from; start < to; ) {
    let end = start + 1;
    while (end < to && ids[end]![fork] === ids[start]![fork]) end++;
    nodes += below(ids, start, end, fork + 1);
    start = end;
  }
  return nodes;
}
