import { expect } from 'chai';
import { heapFlags, startVariables } from '../../../cli/run/thread-pool.js';

const MiB = 1024 * 1024;

describe('what a process is started with', () => {
  it('is room for young objects where much passes, and an old space that is collected early in servers', () => {
    const room = '--max-semi-space-size=32';
    const frugal = '--heap-growing-percent=50';
    expect(heapFlags({ roles: ['server'], cacheBytes: 256 * MiB })).to.deep.equal([room, frugal]);
    expect(heapFlags({ roles: ['server'], cacheBytes: 64 * MiB })).to.deep.equal([frugal]);
    expect(heapFlags({ roles: ['proxy'], cacheBytes: 64 * MiB })).to.deep.equal([room]);
    expect(heapFlags({ roles: ['meta'], cacheBytes: 256 * MiB })).to.deep.equal([]);
  });

  it('is the threads for disk work, and few arenas of malloc', () => {
    expect(startVariables(12)).to.include({ UV_THREADPOOL_SIZE: '12' });
    expect(Number(startVariables(12)['MALLOC_ARENA_MAX'])).to.be.within(1, 64);
  });
});
