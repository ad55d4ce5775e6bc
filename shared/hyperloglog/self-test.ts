/**
 * PFSELFTEST: that registers keep what is put in them and do not touch each other, that dense and sparse sketches of
 * the same elements agree, and that estimates are as close as HyperLogLog promises. Redis tries ten million elements;
 * these are fewer, and the same each time, so that nobody waits for them.
 */
import { observe, countOf, indexOf } from './observation.js';
import { estimate, REGISTERS } from './registers.js';
import { Sketch } from './sketch.js';

const ELEMENTS = 50_000;
/** Redis's default, below which the sketch must be sparse for this many elements. */
const SPARSE_BYTES = 3_000;
const SPARSE_ELEMENTS = 100;
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);

/** What failed, null when nothing did. */
export function selfTest(): string | null {
  return registersTest() ?? elementsTest();
}

function registersTest(): string | null {
  const sketch = Sketch.empty();
  sketch.becomeDense();
  const wanted = (index: number): number => 1 + ((index * 7 + (index >> 5)) % 63);
  for (let index = 0; index < REGISTERS; index++) sketch.raise(index, wanted(index), SPARSE_BYTES);
  const wrong = sketch.registers().findIndex((count, index) => count !== wanted(index));
  return wrong < 0 ? null : `TESTFAILED Register ${wrong} should be ${wanted(wrong)}`;
}

function elementsTest(): string | null {
  const dense = Sketch.empty();
  dense.becomeDense();
  const other = Sketch.empty();
  const element = Buffer.alloc(8);
  let checkpoint = 1;
  for (let n = 1; n <= ELEMENTS; n++) {
    element.writeUInt32LE(n);
    const observation = observe(element);
    dense.raise(indexOf(observation), countOf(observation), SPARSE_BYTES);
    other.raise(indexOf(observation), countOf(observation), SPARSE_BYTES);
    if (n !== checkpoint) continue;
    const count = Number(estimate(dense.registers()));
    if (n <= SPARSE_ELEMENTS && other.isDense) return 'TESTFAILED sparse encoding not used';
    if (count !== Number(estimate(other.registers()))) return 'TESTFAILED dense/sparse disagree';
    if (Math.abs(count - n) > Math.ceil(6 * STANDARD_ERROR * n)) {
      return `TESTFAILED Too big error. card:${n} abserr:${Math.abs(count - n)}`;
    }
    checkpoint *= 10;
  }
  return null;
}
