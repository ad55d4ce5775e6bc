/** The disk shim (disk-shim.c): compiled on first use, and one page a process that says which faults its disk has. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../cluster/local-cluster.js';

/** In the order of `struct control`; each is an int32. */
const FIELDS = ['writeError', 'syncError', 'writeDelayMs', 'syncDelayMs', 'shortWrites', 'injected'] as const;
const INT_BYTES = 4;

/** `shortWrites`: every so many-th write is cut in half. Errors are numbers of errno. */
export type DiskFaults = Partial<Record<Exclude<(typeof FIELDS)[number], 'injected'>, number>>;

/** The library's path. Throws when there is no compiler. */
export function shimLibrary(): string {
  const source = join(projectFolder, 'test/chaos/disk-shim.c');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const folder = join(projectFolder, '.cache');
  const library = join(folder, `disk-shim-${hash}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const output = `${library}.${process.pid}`;
  execFileSync('cc', ['-O2', '-Wall', '-shared', '-fPIC', '-o', output, source, '-ldl', '-lpthread'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(output, library);
  return library;
}

/** One process's disk. */
export class DiskControl {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
    const descriptor = openSync(file, 'w', 0o600);
    writeSync(descriptor, Buffer.alloc(FIELDS.length * INT_BYTES));
    closeSync(descriptor);
  }

  /** From now on these faults and no others. */
  set(faults: DiskFaults): void {
    const page = Buffer.alloc(FIELDS.length * INT_BYTES);
    FIELDS.forEach((field, at) => {
      if (field !== 'injected') page.writeInt32LE(faults[field] ?? 0, at * INT_BYTES);
    });
    const descriptor = openSync(this.file, 'r+');
    writeSync(descriptor, page, 0, page.length - INT_BYTES, 0); // the counter goes on
    closeSync(descriptor);
  }

  /** How often a fault took effect so far. */
  injected(): number {
    const value = Buffer.alloc(INT_BYTES);
    const descriptor = openSync(this.file, 'r');
    readSync(descriptor, value, 0, INT_BYTES, FIELDS.indexOf('injected') * INT_BYTES);
    closeSync(descriptor);
    return value.readInt32LE(0);
  }
}
