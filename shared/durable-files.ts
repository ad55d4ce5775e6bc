/**
 * Files and folders that are there after a power failure. Syncing a file makes its contents safe, not its name: that is
 * in its folder, whose own name is in the folder above. Whatever is to be relied on needs all of these.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';

type Done = (error: Error | null) => void;

/** Makes a folder and those above it that are missing. When it calls back, its name and theirs are safe. */
export function makeFolder(folder: string, done: Done): void {
  fs.mkdir(folder, { recursive: true, mode: 0o700 }, (error, first) => {
    if (error !== null) return done(error);
    const last = dirname(first ?? folder);
    const next = (parent: string): void =>
      syncPath(parent, (unsynced) => {
        if (unsynced !== null || parent === last) done(unsynced);
        else next(dirname(parent));
      });
    next(dirname(folder)); // also when it was there: who made it may have died before this
  });
}

/** A file's contents, or the names in a folder, are safe when it calls back. */
export function syncPath(path: string, done: Done): void {
  fs.open(path, 'r', (error, descriptor) => {
    if (error !== null) return done(error);
    fs.fsync(descriptor, (unsynced) => {
      fs.close(descriptor, (unclosed) => done(unsynced ?? unclosed));
    });
  });
}

/** Replaces a file whole, at once, making its folder where it is missing: for what is written when a process starts. */
export function writeSafely(path: string, text: string): void {
  const folder = dirname(path);
  const first = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = fs.openSync(`${path}.new`, 'w', 0o600);
  fs.writeFileSync(descriptor, text);
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
  fs.renameSync(`${path}.new`, path);
  for (let at = folder; ; at = dirname(at)) {
    syncFolderNow(at);
    // A folder that we did not make is safe already, and the one above it may not be ours to open.
    if (first === undefined || at === dirname(first)) break;
  }
}

function syncFolderNow(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}
