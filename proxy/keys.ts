/** Where the keys of a request are. */
import { word } from '../shared/commands/arguments.js';
import { parseInteger } from '../shared/integers.js';
import type { CatalogueEntry } from './catalogue.js';

export const CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";
const NOTHING = Buffer.alloc(0);

/** Positions of the keys in `args`, as far as the row says; none where the number of keys makes no sense. */
export function keyPositions(entry: CatalogueEntry, args: readonly Buffer[]): number[] {
  const { keys, keyCount, keysBehind } = entry.command;
  if (keysBehind !== undefined) return positionsBehind(keysBehind.word, keysBehind.from - 1, args);
  const words = entry.container === null ? 1 : 2;
  const positions: number[] = [];
  if (keys !== null) {
    const last = keys.last < 0 ? args.length + words + keys.last : Math.min(keys.last, args.length + words - 1);
    for (let position = keys.first; position <= last; position += keys.step) positions.push(position - words);
  }
  if (keyCount !== undefined) {
    const count = parseInteger(args[keyCount - words] ?? NOTHING) ?? 0;
    const first = keyCount + 1 - words;
    if (count > 0 && count <= args.length - first) for (let i = 0; i < count; i++) positions.push(first + i);
  }
  return entry.command.optionKeys === undefined ? positions : [...positions, ...entry.command.optionKeys(args)];
}

/** The first half of what follows `expected`, which is searched from `from` on. */
function positionsBehind(expected: string, from: number, args: readonly Buffer[]): number[] {
  const at = args.findIndex((argument, i) => i >= from && word(argument) === expected);
  const count = at < 0 ? 0 : Math.floor((args.length - at - 1) / 2);
  return Array.from({ length: count }, (_, i) => at + 1 + i);
}
