/**
 * What one operation may read of its rows. A reply is made in one synchronous stretch from what is held in memory, so
 * that millions of elements can be read in parts only: whoever asks for more is told so before anything is read.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';

export const READS_TOO_MUCH = `ERR the command reads more than ${limits.operationEntries} elements at once; read them in parts, as by SCAN commands or ranges`;

export function checkRead(count: number): void {
  if (count > limits.operationEntries) throw new ClientError(READS_TOO_MUCH);
}

const PAGE_FIRST = 256;
const PAGE_GROWTH = 16;

/**
 * All at once, as what is looked up for a page is fetched together; with a limit to what is wanted of them (0: none) a
 * little at first, then more and more: the operation begins anew for each page.
 */
export function* pagesOf<T>(all: readonly T[], limit: number): Generator<T[]> {
  let size = limit === 0 ? all.length : Math.max(PAGE_FIRST, limit);
  for (let from = 0; from < all.length; from += size, size *= PAGE_GROWTH) yield all.slice(from, from + size);
}
