/**
 * What CONFIG SET told a partition about itself. Each setting is a logged write of its own, so that every replica keeps
 * it beside the rows; whoever reads or makes such a write learns here what it means.
 */
import { metaKey, toBuffer } from '../storage/keys.js';
import { decodeMemoryLimits, encodeMemoryLimits, type MemoryLimits, NO_LIMITS } from './memory-limits.js';

export interface Settings {
  readonly memory: MemoryLimits;
  /** The letters of notify-keyspace-events. */
  readonly notifications: string;
}

export const NO_SETTINGS: Settings = { memory: NO_LIMITS, notifications: '' };

const MEMORY_KEY = metaKey('memory');
const NOTIFICATIONS_KEY = metaKey('notifications');

/** Storage keys, in any order. */
export const SETTINGS_KEYS: readonly string[] = [MEMORY_KEY, NOTIFICATIONS_KEY];

export interface SettingWrite {
  readonly key: string;
  readonly value: Buffer;
}

export const memoryWrite = (limits: MemoryLimits): SettingWrite => ({
  key: MEMORY_KEY,
  value: encodeMemoryLimits(limits),
});

export const notificationsWrite = (letters: string): SettingWrite => ({
  key: NOTIFICATIONS_KEY,
  value: toBuffer(letters),
});

/** As they are after a write; the same where it is of something else. */
export function settingsAfter(settings: Settings, key: string, value: Buffer | null): Settings {
  if (value === null) return settings;
  if (key === MEMORY_KEY) return { ...settings, memory: decodeMemoryLimits(value) };
  if (key === NOTIFICATIONS_KEY) return { ...settings, notifications: value.latin1Slice(0, value.length) };
  return settings;
}
