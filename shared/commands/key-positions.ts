/** Where the keys of a request are, as far as the row of its command says. */
import { parseInteger } from '../integers.js';
import { word } from './arguments.js';
import type { CommandFacts } from './command.js';

const NOTHING = Buffer.alloc(0);

/** How many words of a command line name the command: `args` are without them. */
export function wordsOf(command: CommandFacts): number {
  return command.name.includes('|') ? 2 : 1;
}

/** True for a command that may have keys, whatever its arguments. */
export function hasKeys({ keys, keyCount, keysBehind }: CommandFacts): boolean {
  return keys !== null || keyCount !== undefined || keysBehind !== undefined;
}

/** Positions of the keys in `args`, as far as the row says; none where the number of keys makes no sense. */
export function positionsOfKeys(command: CommandFacts, args: readonly Buffer[]): number[] {
  const { keys, keyCount, keyStep = 1, keysBehind, keysOf } = command;
  if (keysOf !== undefined) return [...keysOf(args)];
  if (keysBehind !== undefined) return positionsBehind(keysBehind.word, keysBehind.from - 1, args);
  const words = wordsOf(command);
  const positions: number[] = [];
  if (keys !== null) {
    const last = keys.last < 0 ? args.length + words + keys.last : Math.min(keys.last, args.length + words - 1);
    for (let position = keys.first; position <= last; position += keys.step) positions.push(position - words);
  }
  if (keyCount !== undefined) {
    const count = Number(parseInteger(args[keyCount - words] ?? NOTHING) ?? 0);
    const first = keyCount + 1 - words;
    if (count > 0 && count * keyStep <= args.length - first)
      for (let i = 0; i < count; i++) positions.push(first + i * keyStep);
  }
  return command.optionKeys === undefined ? positions : [...positions, ...command.optionKeys(args)];
}

/** The first half of what follows `expected`, which is searched from `from` on. */
function positionsBehind(expected: string, from: number, args: readonly Buffer[]): number[] {
  const at = args.findIndex((argument, i) => i >= from && word(argument) === expected);
  const count = at < 0 ? 0 : Math.floor((args.length - at - 1) / 2);
  return Array.from({ length: count }, (_, i) => at + 1 + i);
}
