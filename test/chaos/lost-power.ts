/**
 * Does to a folder what a power failure does: takes back what was not synced, as the journal of disk-shim.c tells. Two
 * ways, by chance: everything unsynced is gone, or the disk had got to some of it by itself, so that files end
 * somewhere behind their synced length and names are as they were at some moment since their directory was synced.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from './random.js';

/** A change of names that is not safe yet. */
interface Change {
  /** The directories that must be synced for it to be. */
  readonly directories: Set<string>;
  readonly undo: () => void;
}

export interface Loss {
  /** Bytes cut off the ends of files. */
  readonly bytes: number;
  /** Files created, renamed and removed that are so no more. */
  readonly names: number;
}

/** `kept`: the folder of hard links. No process may run. Afterwards what there is counts as synced. */
export function losePower(folder: string, journal: string, kept: string, random: Random): Loss {
  const { synced, changes } = replay(journal);
  const everything = random.chance(0.5);
  let names = 0;
  const keeping = new Map<string, boolean>();
  for (const change of changes.reverse()) {
    // Of one directory the changes up to some moment are kept; from there on, all are taken back.
    const directories = [...change.directories];
    const keep = !everything && directories.every((directory) => keeping.get(directory) ?? random.chance(0.3));
    for (const directory of directories) if (keep || !keeping.has(directory)) keeping.set(directory, keep);
    if (keep) continue;
    change.undo();
    names++;
  }
  let bytes = 0;
  for (const file of filesBelow(folder)) {
    const { ino, size } = statSync(file);
    const safe = Math.min(size, synced.get(ino) ?? 0);
    const left = everything ? safe : random.between(safe, size);
    if (left < size) truncateSync(file, left);
    bytes += size - left;
  }
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  writeFileSync(journal, filesBelow(folder).map(syncedLine).join(''));
  return { bytes, names };
}

function syncedLine(file: string): string {
  const { ino, size } = statSync(file);
  return `S\t${ino}\t${size}\n`;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** How far each file (by inode) is safe, and which changes of names are not, oldest first. */
function replay(journal: string): { synced: Map<number, number>; changes: Change[] } {
  const synced = new Map<number, number>();
  let changes: Change[] = [];
  const changed = (undo: () => void, ...paths: string[]): void => {
    changes.push({ directories: new Set(paths.map((path) => dirname(path))), undo });
  };
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : [];
  for (const line of lines) {
    const [kind, first = '', second = '', third = ''] = line.split('\t');
    switch (kind) {
      case 'S':
        synced.set(Number(first), Math.max(synced.get(Number(first)) ?? 0, Number(second)));
        break;
      case 'T':
        synced.set(Number(first), Math.min(synced.get(Number(first)) ?? 0, Number(second)));
        break;
      case 'D':
        for (const change of changes) change.directories.delete(first);
        changes = changes.filter(({ directories }) => directories.size > 0);
        break;
      case 'C':
        synced.set(Number(second), 0); // the number may have been another file's
        changed(() => rmSync(first, { force: true }), first);
        break;
      case 'M':
        changed(() => rmSync(first, { recursive: true, force: true }), first);
        break;
      case 'X':
        changed(() => mkdirSync(first, { recursive: true }), first);
        break;
      case 'U':
        changed(() => putBack(second, first), first);
        break;
      case 'R':
        changed(
          () => {
            if (existsSync(second)) renameSync(second, first);
            putBack(third, second);
          },
          first,
          second,
        );
        break;
      default:
        if (line !== '') throw new Error(`${journal} has a line that nobody wrote: ${line}`);
    }
  }
  return { synced, changes };
}

/** What the shim kept, under its own name; nothing when the directory is gone too, or nothing had to be kept. */
function putBack(kept: string, path: string): void {
  if (kept === '-' || !existsSync(kept) || existsSync(path) || !existsSync(dirname(path))) return;
  linkSync(kept, path);
}
