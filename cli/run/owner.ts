/**
 * Whose a data folder is, and in which format, written in it at the first start: copies of partitions under another
 * server's name, or of another cluster, must not be taken for this one's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafely } from '../../shared/durable-files.js';
import { OperatingError } from '../../shared/errors.js';

/**
 * Grows with every change of what is on disk that an older version could not read, or a newer one not any more: rows,
 * log records, meta's state. A folder of another format is refused as a whole, before anything in it counts as damaged.
 */
const FORMAT = 2;

export interface Owner {
  readonly cluster: string;
  readonly node: string;
}

/** Throws E_CONFIG when the folder is somebody else's. */
export function claimFolder(dir: string, owner: Owner): void {
  const path = join(dir, 'owner.json');
  if (existsSync(path)) {
    const { cluster, node, format = 1 } = JSON.parse(readFileSync(path, 'utf8')) as Owner & { format?: number };
    if (format !== FORMAT)
      throw new OperatingError(
        'E_CONFIG',
        `${dir} holds data of format ${format}, and this version of Tulpar reads format ${FORMAT} only; start the version that wrote it`,
      );
    if (cluster === owner.cluster && node === owner.node) return;
    throw new OperatingError(
      'E_CONFIG',
      `${dir} belongs to ${node} of cluster ${cluster}; ${owner.node} of cluster ${owner.cluster} needs a folder of its own`,
    );
  }
  writeSafely(path, `${JSON.stringify({ ...owner, format: FORMAT })}\n`);
}
