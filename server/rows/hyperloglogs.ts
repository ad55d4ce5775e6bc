/** Operations on HyperLogLogs. What the strings are made of is in shared/hyperloglog. */
import { ClientError } from '../../shared/errors.js';
import { countOf, indexOf, unpackObservations } from '../../shared/hyperloglog/observation.js';
import { emptyRegisters, estimate, mergeRegisters, type Registers } from '../../shared/hyperloglog/registers.js';
import { isSketch, Sketch } from '../../shared/hyperloglog/sketch.js';
import { int64 } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import { SketchFact } from '../../shared/operations/hyperloglogs.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Execute, Row, View } from '../execution/view.js';
import { Encoding } from '../storage/row.js';
import { bytesAt, bytesFrom, numberAt, stringOrNullAt } from './arguments.js';
import { stringChange, stringRow } from './strings.js';

const NO_SKETCH = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
/** From so many observations on it pays to know all registers, so that most need not be looked for in the runs. */
const MANY_OBSERVATIONS = 16;

/** The row, if it is a HyperLogLog or absent. */
function sketchRow(view: View, key: Buffer): Row | null {
  const row = stringRow(view, key);
  if (row !== null && !isSketch(row.value)) throw new ClientError(NO_SKETCH);
  return row;
}

/** Written where it changed; Redis makes it `raw` by looking at it, too. */
function store(view: View, key: Buffer, row: Row | null, sketch: Sketch, changed: boolean): void {
  if (!changed && row?.encoding === Encoding.raw) return;
  view.put(key, row, stringChange(sketch.bytes, Encoding.raw, row?.expireAtMs ?? 0));
}

export const sketchAdd: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const observations = unpackObservations(bytesAt(args, 1));
  const sparseBytes = numberAt(args, 2);
  const row = sketchRow(view, key);
  const sketch = row === null ? Sketch.empty() : Sketch.of(row.value);
  const known = observations.length >= MANY_OBSERVATIONS ? sketch.registers() : null;
  let changed = row === null;
  for (const observation of observations) {
    const index = indexOf(observation);
    const count = countOf(observation);
    if (known !== null && known[index]! >= count) continue;
    if (sketch.raise(index, count, sparseBytes)) changed = true;
    if (known !== null) known[index] = count;
  }
  if (changed) sketch.outdateCount();
  store(view, key, row, sketch, changed);
  if (changed) view.notify('pfadd', key);
  return changed;
};

export const sketchCount: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = sketchRow(view, key);
  if (row === null) return 0;
  const sketch = Sketch.of(row.value);
  const cached = sketch.cachedCount;
  const count = cached === null ? estimate(sketch.registers()) : int64(cached);
  if (cached === null && count !== null) sketch.cacheCount(BigInt(count));
  store(view, key, row, sketch, cached === null);
  return count;
};

export const sketchUnionCount: Execute = (view, args) => estimate(union(view, bytesFrom(args, 0)).registers);

export const sketchMerge: Execute = (view, args) => {
  const sparseBytes = numberAt(args, 0);
  const keys = bytesFrom(args, 1);
  const to = bytesAt(args, 1);
  const { registers, anyDense } = union(view, keys);
  const row = sketchRow(view, to);
  const sketch = row === null ? Sketch.empty() : Sketch.of(row.value);
  if (anyDense) sketch.becomeDense();
  for (const [index, count] of registers.entries()) if (count > 0) sketch.raise(index, count, sparseBytes);
  sketch.outdateCount();
  store(view, to, row, sketch, true);
  view.notify('pfadd', to);
  return true;
};

function union(view: View, keys: readonly Buffer[]): { registers: Registers; anyDense: boolean } {
  if (keys.length > limits.mergedSketches) {
    throw new ClientError(`ERR more than ${limits.mergedSketches} HyperLogLogs at once`);
  }
  const registers = emptyRegisters();
  let anyDense = false;
  for (const row of keys.map((key) => sketchRow(view, key))) {
    if (row === null) continue;
    const sketch = Sketch.of(row.value);
    anyDense ||= sketch.isDense;
    mergeRegisters(registers, sketch.registers());
  }
  return { registers, anyDense };
}

export const sketchInspect: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = sketchRow(view, key);
  if (row === null) throw new ClientError('ERR The specified key does not exist');
  const refusal = stringOrNullAt(args, 2);
  if (refusal !== null) throw new ClientError(refusal);
  const sketch = Sketch.of(row.value);
  const wasDense = sketch.isDense;
  const result = told(sketch, numberAt(args, 1));
  store(view, key, row, sketch, sketch.isDense !== wasDense);
  return result;
};

function told(sketch: Sketch, fact: number): OperationResult {
  const sparse = !sketch.isDense;
  switch (fact) {
    case SketchFact.registers:
      sketch.becomeDense();
      return [...sketch.registers()];
    case SketchFact.runs:
      if (!sparse) throw new ClientError('ERR HLL encoding is not sparse');
      return [...sketch.runs()]
        .map(({ kind, value, length }) =>
          kind === 'values' ? `v:${value},${length}` : `${kind === 'zeros' ? 'z' : 'Z'}:${length}`,
        )
        .join(' ');
    case SketchFact.encoding:
      return sparse ? 'sparse' : 'dense';
    case SketchFact.becomeDense:
      sketch.becomeDense();
      return sparse;
    default:
      throw new ClientError(`ERR malformed operation: sketch fact ${fact}`);
  }
}
