/** Choosing by chance, from the view's random numbers, so that every attempt chooses the same. */
import type { View } from '../execution/view.js';

/**
 * `count` different numbers below `size`, all choices being equally likely. Floyd's sampling: each of the last
 * `count` numbers in turn draws one up to itself, and stands in where that is taken.
 */
export function differentNumbers(view: View, size: number, count: number): number[] {
  if (count === size) return Array.from({ length: size }, (_, number) => number);
  const chosen = new Set<number>();
  for (let last = size - count; last < size; last++) {
    const number = Math.floor(view.random() * (last + 1));
    chosen.add(chosen.has(number) ? last : number);
  }
  return [...chosen];
}
