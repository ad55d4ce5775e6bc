/**
 * What one simulated server has for a disk, under its log and its stores alike: how long things take, and what is wrong with it
 * at present. It outlives the processes that use it.
 */
import type { DiskFault } from '../../server/storage/disk-faults.js';
import { VirtualDisk } from '../../server/log/virtual-files.js';
import { MemoryDisk } from '../../server/storage/memory.js';
import type { World } from './world.js';

export interface DiskProfile {
  readonly writeMs: readonly [number, number];
  readonly syncMs: readonly [number, number];
  /** What free space is compared with. */
  readonly softBytes: number;
  readonly hardBytes: number;
}

/** Longer than anything takes when nothing stands still. */
const STUCK_MS = 1_000;

/** `soft`, `hard`: below a watermark; `none`: writes fail. */
export type Space = 'enough' | 'soft' | 'hard' | 'none';

export class SimulatedDisk {
  log = new VirtualDisk();
  stores = new MemoryDisk();
  space: Space = 'enough';
  /** Fails writes or syncs with EIO. */
  broken: 'write' | 'sync' | null = null;
  /** Writes take less than they are asked to, by chance. */
  short = false;
  /** Added to every write and sync. */
  slowMs: readonly [number, number] | null = null;
  /** Nothing comes back before. */
  stalledUntilMs = 0;
  /** The longest that anything took: so much later than it should be, what was written is on stable storage. */
  longestMs = 0;
  /** When the last of what has begun comes back. */
  private busyUntilMs = 0;
  /** Errors it has given since it was last all well: whoever dies of them is no finding. */
  errors = 0;
  private readonly world: World;
  private readonly profile: DiskProfile;

  constructor(world: World, profile: DiskProfile) {
    this.world = world;
    this.profile = profile;
  }

  readonly delayMs = (operation: string): number => {
    const { world, profile } = this;
    let delayMs = 0;
    if (operation === 'write') delayMs = world.between(...profile.writeMs);
    else if (operation === 'sync') delayMs = world.between(...profile.syncMs);
    if (this.slowMs !== null && delayMs > 0) delayMs += world.between(...this.slowMs);
    if (this.stalledUntilMs > world.nowMs) delayMs += this.stalledUntilMs - world.nowMs;
    this.longestMs = Math.max(this.longestMs, delayMs);
    this.busyUntilMs = Math.max(this.busyUntilMs, world.nowMs + delayMs);
    return delayMs;
  };

  readonly fault = (operation: string, _name: string, bytes: number): DiskFault | null => {
    const writes = operation === 'write' || operation === 'create';
    let fault: DiskFault | null = null;
    if (writes && this.space === 'none') fault = 'ENOSPC';
    else if (writes && this.broken === 'write') fault = 'EIO';
    else if (operation === 'sync' && this.broken === 'sync') fault = 'EIO';
    if (fault !== null) this.errors++;
    else if (this.short && operation === 'write' && bytes > 1 && this.world.chance(0.2))
      return { shortBytes: this.world.integer(1, bytes - 1) };
    return fault;
  };

  /** A store's write is not short: it fails whole. */
  readonly storeFault = (operation: string, name: string): DiskFault | null => this.fault(operation, name, 0);

  freeBytes(): number {
    const { softBytes, hardBytes } = this.profile;
    if (this.space === 'enough') return 2 * softBytes;
    if (this.space === 'soft') return (softBytes + hardBytes) / 2;
    return this.space === 'hard' ? hardBytes / 2 : 0;
  }

  /** Something that began while it stood still has not come back yet, though it may be healed. */
  get stuck(): boolean {
    return this.busyUntilMs > this.world.nowMs + STUCK_MS;
  }

  /** Nothing is wrong with it any more, but for what has begun. */
  heal(): void {
    this.space = 'enough';
    this.broken = null;
    this.short = false;
    this.slowMs = null;
    this.stalledUntilMs = 0;
  }

  /** Changes a byte somewhere in the log; false: there is none yet. */
  corruptLog(): boolean {
    const names = [...this.log.names.keys()].filter((name) => this.log.read(name).length > 0).sort();
    if (names.length === 0) return false;
    const name = this.world.pick(names);
    this.log.corrupt(name, this.world.integer(0, this.log.read(name).length - 1));
    return true;
  }

  /** One of the stores does not open any more. */
  corruptStore(): boolean {
    const names = [...this.stores.stores.keys()].sort();
    if (names.length === 0) return false;
    this.stores.corrupt.add(this.world.pick(names));
    return true;
  }

  wipe(): void {
    this.log = new VirtualDisk();
    this.stores = new MemoryDisk();
  }
}
