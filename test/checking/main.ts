/** `node dist/test/checking/main.js FILE [--budget N] [--skew MS] [--split]`: checks a kept history again. */
import { parseArgs } from 'node:util';
import { checkHistory } from './check.js';
import { readHistory } from './history.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '20000000' },
    skew: { type: 'string', default: '5000' },
    split: { type: 'boolean', default: false },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error('which history? Give the file');
const { components, operations, steps, failures } = checkHistory(readHistory(file), {
  budget: Number(values.budget),
  clockSkewMs: Number(values.skew),
  splitUnions: values.split,
});
for (const { explanation } of failures) console.error(`${explanation}\n`);
console.log(`${operations} operations on ${components} objects, ${steps} steps, ${failures.length} failures`);
process.exitCode = failures.length > 0 ? 1 : 0;
