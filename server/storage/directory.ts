/** Making names durable: a new, renamed or removed file is certain to be so only once its directory is synced. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { syncPath } from '../../shared/durable-files.js';
import type { Callback } from './store.js';

export function syncDirectory(directory: string, done: Callback): void {
  syncPath(directory, done);
}

/** Every file of a directory without subdirectories, then the directory. */
export function syncTree(directory: string, done: Callback): void {
  fs.readdir(directory, (error, names) => {
    if (error !== null) return done(error);
    const next = (at: number): void => {
      if (at === names.length) return syncPath(directory, done);
      syncPath(path.join(directory, names[at]!), (failed) => {
        if (failed !== null) return done(failed);
        next(at + 1);
      });
    };
    next(0);
  });
}
