/** Where the keys of a request are. */
import { positionsOfKeys } from '../shared/commands/key-positions.js';
import type { CatalogueEntry } from './catalogue.js';

export const CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot";

/** Positions of the keys in `args`, as far as the row says; none where the number of keys makes no sense. */
export function keyPositions(entry: CatalogueEntry, args: readonly Buffer[]): number[] {
  return positionsOfKeys(entry.command, args);
}

export function keysOf(entry: CatalogueEntry, args: readonly Buffer[]): Buffer[] {
  return keyPositions(entry, args).map((position) => args[position] as Buffer);
}
