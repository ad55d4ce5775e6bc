/**
 * What this machine and its privileges allow of network namespaces, bounded file systems and the disk shim, around a
 * cluster's processes. What is not allowed is told by name: a run that skips faults must say so.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../shared/cluster.js';
import type { Surroundings } from './cluster.js';
import { DiskControl, shimLibrary } from './disk-shim.js';
import { Namespaces } from './namespaces.js';

/** What a kind of fault may need. */
export type Need = 'root' | 'namespaces' | 'nft' | 'slow link' | 'tmpfs' | 'shim';

const FILLER = 'filler';
const FILLER_CHUNK = Buffer.alloc(1024 * 1024, 'x');

/** Why each need cannot be met here, found out by trying; those that can be are not in it. */
export function unmetNeeds(): ReadonlyMap<Need, string> {
  const unmet = new Map<Need, string>();
  const attempt = (needs: readonly Need[], run: () => void): void => {
    try {
      run();
    } catch (error) {
      const [reason = ''] = String(error).split('\n');
      for (const need of needs) unmet.set(need, `${need}: ${reason}`);
    }
  };
  attempt(['root'], () => {
    if (process.getuid?.() !== 0) throw new Error('not root');
  });
  attempt(['tmpfs'], () => {
    const folder = mkdtempSync(join(tmpdir(), 'tulpar-chaos-'));
    try {
      mountSmall(folder, 2 ** 20);
      unmount(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  attempt(['shim'], () => shimLibrary());
  attempt(['namespaces', 'nft', 'slow link'], () => {
    const network = new Namespaces(['one', 'two']);
    try {
      network.cut('one');
      attempt(['nft'], () => network.drop('one', 'two'));
      attempt(['slow link'], () => network.slow('one', 1_000));
    } finally {
      network.remove();
    }
  });
  return unmet;
}

function mountSmall(folder: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tulpar-chaos', folder], { stdio: 'pipe' });
}

/** Lazily: a process that was killed a moment ago may not be gone yet. */
function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' });
}

export interface EverythingOptions {
  readonly names: readonly string[];
  readonly needs: readonly Need[];
  /** Size of each server's file system, where `tmpfs` is among the needs. */
  readonly diskBytes: number;
  /** Whether the shim keeps a journal for lost-power.ts. */
  readonly journal?: boolean;
}

export class Everything implements Surroundings {
  readonly network: Namespaces | null;
  private readonly directory: string;
  private readonly options: EverythingOptions;
  private readonly disks = new Map<string, DiskControl>();
  private readonly mounts: string[] = [];

  constructor(directory: string, options: EverythingOptions) {
    this.directory = directory;
    this.options = options;
    this.network = options.needs.includes('namespaces') ? new Namespaces(options.names) : null;
  }

  addressOf(name: string): string | undefined {
    return this.network?.addressOf(name);
  }

  prefixOf(name: string): readonly string[] {
    return this.network?.prefixOf(name) ?? [];
  }

  environmentOf(name: string, _role: Role, folder: string): Readonly<Record<string, string>> {
    if (!this.options.needs.includes('shim')) return {};
    const controls = join(this.directory, 'controls');
    mkdirSync(controls, { recursive: true });
    const disk = new DiskControl(join(controls, name));
    this.disks.set(name, disk);
    const environment = { LD_PRELOAD: shimLibrary(), CHAOS_FOLDER: folder, CHAOS_CONTROL: disk.file };
    if (this.options.journal !== true) return environment;
    mkdirSync(this.keptOf(name), { recursive: true });
    return { ...environment, CHAOS_JOURNAL: this.journalOf(name), CHAOS_KEPT: this.keptOf(name) };
  }

  prepare(_name: string, role: Role, folder: string): void {
    if (role !== 'server' || !this.options.needs.includes('tmpfs')) return;
    mountSmall(folder, this.options.diskBytes);
    this.mounts.push(folder);
  }

  disk(name: string): DiskControl {
    const disk = this.disks.get(name);
    if (disk === undefined) throw new Error(`${name} runs without the disk shim`);
    return disk;
  }

  journalOf(name: string): string {
    return join(this.directory, `${name}.journal`);
  }

  keptOf(name: string): string {
    return join(this.directory, 'kept', name);
  }

  /** Takes space until so many bytes are left. */
  fillDisk(folder: string, leaveBytes: number): void {
    const { bavail, bsize } = statfsSync(folder);
    const file = openSync(join(folder, FILLER), 'a', 0o600);
    try {
      for (let left = bavail * bsize - leaveBytes; left > 0; ) {
        const written = writeSync(file, FILLER_CHUNK, 0, Math.min(left, FILLER_CHUNK.length));
        if (written === 0) break;
        left -= written;
      }
    } catch (error) {
      // The server took the last of it meanwhile: full is what was wanted.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  freeDisk(folder: string): void {
    rmSync(join(folder, FILLER), { force: true });
  }

  remove(): void {
    this.network?.remove();
    for (const folder of this.mounts.splice(0)) unmount(folder);
  }
}
