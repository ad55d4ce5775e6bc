/**
 * Names of boots: `<start time in ms>-<random>`, growing from boot to boot of one data folder even if the
 * wall clock steps back. Meta takes a higher number for a newer boot, so a late message of a process that
 * is dead cannot pass for its successor; a folder that was wiped begins at the clock again.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafely } from '../../shared/durable-files.js';

/** `dir`: where the last number is kept; without it the clock alone decides (a proxy keeps nothing). */
export function nameBoot(dir: string | null): string {
  const random = randomBytes(3).toString('hex');
  if (dir === null) return `${Date.now()}-${random}`;
  const path = join(dir, 'boot');
  const number = Math.max(Date.now(), readNumber(path) + 1);
  writeSafely(path, `${number}\n`);
  return `${number}-${random}`;
}

function readNumber(path: string): number {
  try {
    const number = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(number) ? number : 0;
  } catch {
    return 0; // the first boot: the clock is enough then
  }
}
