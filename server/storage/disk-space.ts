/** How full the disk of a directory is: what the watermarks of design section 7 are compared with. */
import * as fs from 'node:fs';
import { OperatingError } from '../../shared/errors.js';
import type { Callback } from './store.js';

export interface DiskSpace {
  /** What an unprivileged process may still use. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

export function diskSpace(directory: string, done: Callback<DiskSpace>): void {
  fs.statfs(directory, (error, stats) => {
    if (error !== null) {
      return done(
        new OperatingError('E_DISK', `the free space of ${directory} is unknown: ${error.message}`, { cause: error }),
      );
    }
    done(null, { freeBytes: stats.bavail * stats.bsize, sizeBytes: stats.blocks * stats.bsize });
  });
}
