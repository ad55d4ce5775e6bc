/**
 * What a test or the simulator may do to the in-memory twins of files (server/log/virtual-files.ts) and of stores
 * (memory.ts): make an operation slow, or let it fail as the operating system would.
 */
import { OperatingError } from '../../shared/errors.js';

/** `shortBytes`: a file's write takes only so many of its bytes, without an error. `corrupt`: a store finds its own files damaged. */
export type DiskFault = 'EIO' | 'ENOSPC' | 'corrupt' | { readonly shortBytes: number };

export interface DiskHooks {
  /** How long an operation takes; absent or 0: until the end of the turn. */
  readonly delayMs?: (operation: string, name: string, bytes: number) => number;
  /** What goes wrong with this operation; null: nothing. Asked when its time is over. */
  readonly fault?: (operation: string, name: string, bytes: number) => DiskFault | null;
}

/** As Node's file system says it. */
export function fileError(fault: Exclude<DiskFault, object>, operation: string, name: string): Error {
  const code = fault === 'corrupt' ? 'EIO' : fault;
  const text = code === 'EIO' ? 'input/output error' : 'no space left on device';
  return Object.assign(new Error(`${code}: ${text}, ${operation} '${name}'`), { code });
}

/** As a store says it. */
export function storeError(fault: DiskFault, operation: string, name: string): OperatingError {
  if (fault === 'corrupt') return new OperatingError('E_CORRUPT', `${operation} of store ${name}: it is damaged`);
  const cause = fileError(typeof fault === 'object' ? 'ENOSPC' : fault, operation, name);
  return new OperatingError('E_DISK', `store ${name}: ${cause.message}`, { cause });
}
