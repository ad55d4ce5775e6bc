/**
 * Longest common subsequence by the classic table: cell (i, j) is the length for the first i bytes of a
 * and the first j of b. Walking it back from the end finds the subsequence; where both ways are equally
 * good, b gives way, as in Redis, so that the matches reported are the same.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { LcsMode } from '../../shared/operations/codes.js';
import type { Execute, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import { bytesAt, integerAt, numberAt, stringOrNullAt } from './arguments.js';

const EMPTY = Buffer.alloc(0);

/** Positions are inclusive. */
type Match = readonly [fromA: number, toA: number, fromB: number, toB: number, length: number];

export const longestCommon: Execute = (view, args) => {
  const a = stringOrEmpty(view, bytesAt(args, 0));
  const b = stringOrEmpty(view, bytesAt(args, 1));
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  const mode = numberAt(args, 2);
  const minMatchLength = Number(integerAt(args, 3));
  const table = lengths(a, b);
  const total = table[table.length - 1]!;
  if (mode === LcsMode.length) return total;
  const matches = trace(a, b, table);
  if (mode === LcsMode.matches) return [total, matches.filter((match) => match[4] >= minMatchLength)];
  return Buffer.concat(matches.reverse().map(([from, to]) => a.subarray(from, to + 1)));
};

function stringOrEmpty(view: View, key: Buffer): Buffer {
  const row = view.row(key);
  if (row === null) return EMPTY;
  if (row.type !== RowType.string) throw new ClientError('ERR The specified keys must contain string values');
  return row.value;
}

function lengths(a: Buffer, b: Buffer): Uint32Array {
  const width = b.length + 1;
  const cells = (a.length + 1) * width;
  if (cells > limits.lcsCells) {
    throw new ClientError('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
  }
  const table = new Uint32Array(cells);
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1];
    const row = i * width;
    const above = row - width;
    for (let j = 1; j <= b.length; j++) {
      if (byte === b[j - 1]) {
        table[row + j] = table[above + j - 1]! + 1;
      } else {
        const up = table[above + j]!;
        const left = table[row + j - 1]!;
        table[row + j] = up > left ? up : left;
      }
    }
  }
  return table;
}

/** Runs of equal bytes that the walk passes, the last first. */
function trace(a: Buffer, b: Buffer, table: Uint32Array): Match[] {
  const width = b.length + 1;
  const matches: Match[] = [];
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      const endA = i - 1;
      const endB = j - 1;
      while (i > 0 && j > 0 && a[i - 1] === b[j - 1]) {
        i--;
        j--;
      }
      matches.push([i, endA, j, endB, endA - i + 1]);
    } else if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) {
      i--;
    } else {
      j--;
    }
  }
  return matches;
}
