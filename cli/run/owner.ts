/**
 * Whose a data folder is, written in it at the first start: copies of partitions under another server's name, or of another
 * cluster, must not be taken for this one's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafely } from '../../shared/durable-files.js';
import { OperatingError } from '../../shared/errors.js';

export interface Owner {
  readonly cluster: string;
  readonly node: string;
}

/** Throws E_CONFIG when the folder is somebody else's. */
export function claimFolder(dir: string, owner: Owner): void {
  const path = join(dir, 'owner.json');
  if (existsSync(path)) {
    const { cluster, node } = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    if (cluster === owner.cluster && node === owner.node) return;
    throw new OperatingError(
      'E_CONFIG',
      `${dir} belongs to ${node} of cluster ${cluster}; ${owner.node} of cluster ${owner.cluster} needs a folder of its own`,
    );
  }
  writeSafely(path, `${JSON.stringify(owner)}\n`);
}
