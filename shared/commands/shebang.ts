/** The first line of a script, `#!lua name=... flags=...`. Error texts are Redis 7.0's. */
import { ClientError } from '../errors.js';

export interface ScriptFlags {
  /** Without such a line: what it may do is not said, and it may do what it always could. */
  readonly compatible: boolean;
  readonly noWrites: boolean;
  readonly allowOom: boolean;
  readonly allowStale: boolean;
  readonly noCluster: boolean;
  readonly crossSlot: boolean;
  /** Of the line, without its end. */
  readonly bytes: number;
}

export const FLAGS = ['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'] as const;
const LINE_FEED = 10;

/** Throws ClientError. */
export function flagsOf(text: Buffer): ScriptFlags {
  if (text[0] !== 0x23 || text[1] !== 0x21) return withFlags([], true, 0);
  const bytes = text.indexOf(LINE_FEED);
  if (bytes < 0) throw new ClientError('ERR Invalid script shebang');
  const [engine = '', ...options] = words(text.subarray(0, bytes).toString());
  if (engine === '') throw new ClientError('ERR Invalid engine in script shebang');
  if (engine !== '#!lua') throw new ClientError(`ERR Unexpected engine in script shebang: ${engine}`);
  const flags: string[] = [];
  for (const option of options) {
    if (!option.startsWith('flags=')) throw new ClientError(`ERR Unknown lua shebang option: ${option}`);
    for (const flag of option.slice(6).split(',')) {
      if (option === 'flags=') break;
      if (!FLAGS.some((known) => known === flag))
        throw new ClientError(`ERR Unexpected flag in script shebang: ${flag}`);
      flags.push(flag);
    }
  }
  return withFlags(flags, false, bytes);
}

export function withFlags(flags: readonly string[], compatible: boolean, bytes: number): ScriptFlags {
  return {
    compatible,
    noWrites: flags.includes('no-writes'),
    allowOom: flags.includes('allow-oom'),
    allowStale: flags.includes('allow-stale'),
    noCluster: flags.includes('no-cluster'),
    crossSlot: flags.includes('allow-cross-slot-keys'),
    bytes,
  };
}

/** Parts between spaces; within quotes a space is none, and the quotes go. */
export function words(line: string): string[] {
  const parts = line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return parts.map((part) => part.replace(/"([^"]*)"|'([^']*)'/g, (_all, a?: string, b?: string) => a ?? b ?? ''));
}
