/** How CONFIG SET reads a value of each kind, and the form in which CONFIG GET gives it back. */
import { parseInteger } from '../shared/integers.js';
import { ClientError } from '../shared/errors.js';
import type { Parameter } from './config-parameters.js';

const MEMORY_UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};
const U64_MAX = 2n ** 64n - 1n;

/** Bytes of a text such as 100mb; null when it is none. */
export function parseMemory(text: string): bigint | null {
  const parts = /^(\d{1,20})([a-z]*)$/i.exec(text);
  const unit = parts === null ? undefined : MEMORY_UNITS[(parts[2] ?? '').toLowerCase()];
  if (parts === null || unit === undefined) return null;
  const bytes = BigInt(parts[1] ?? '0') * unit;
  return bytes > U64_MAX ? null : bytes;
}

function within(value: bigint, low: bigint, high: bigint): void {
  if (value < low || value > high) throw new ClientError(`argument must be between ${low} and ${high} inclusive`);
}

/** The value in the form that is kept. Throws ClientError with the reason alone. */
export function normalizeValue(parameter: Parameter, text: string): string {
  const { type } = parameter;
  switch (type.kind) {
    case 'yesNo':
      if (!/^(yes|no)$/i.test(text)) throw new ClientError("argument must be 'yes' or 'no'");
      return text.toLowerCase();
    case 'oneOf':
      if (!type.choices.includes(text.toLowerCase()))
        throw new ClientError(`argument(s) must be one of the following: ${type.choices.join(', ')}`);
      return text.toLowerCase();
    case 'integer': {
      const value = parseInteger(Buffer.from(text));
      if (value === null) throw new ClientError("argument couldn't be parsed into an integer");
      within(BigInt(value), type.low, type.high);
      return text;
    }
    case 'memory': {
      const bytes = parseMemory(text);
      if (bytes === null) throw new ClientError('argument must be a memory value');
      if (type.low > 0n) within(bytes, type.low, 2n ** 63n - 1n);
      return String(bytes);
    }
    case 'memoryOrPercent': {
      if (/^\d{1,9}%$/.test(text)) {
        if (Number.parseInt(text, 10) > 100) throw new ClientError('percentage argument must be less or equal to 100');
        return text;
      }
      const bytes = parseMemory(text);
      if (bytes === null) throw new ClientError('argument must be a memory or percent value');
      return String(bytes);
    }
    default:
      return normalizeText(parameter.name, text);
  }
}

function normalizeText(name: string, text: string): string {
  if (name === 'notify-keyspace-events') return normalizeEvents(text);
  if (name === 'save') return normalizeSave(text);
  if (name === 'latency-tracking-info-percentiles') return normalizePercentiles(text);
  if (name === 'cluster-announce-hostname' && /[^a-z0-9.-]/i.test(text)) {
    throw new ClientError('Hostnames may only contain alphanumeric characters, hyphens or dots');
  }
  if (name === 'oom-score-adj-values' && words(text).length !== 3) throw new ClientError('wrong number of arguments');
  return text;
}

export function words(text: string): string[] {
  return text.split(/\s+/).filter((part) => part !== '');
}

const EVENT_CLASSES = 'g$lshzxetd';

/** `A` stands for all classes; K, E, m and n are apart. */
function normalizeEvents(text: string): string {
  if (/[^Ag$lshzxeKEtmdn]/.test(text)) throw new ClientError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  const classes = EVENT_CLASSES.split('').filter((flag) => text.includes('A') || text.includes(flag));
  const all = classes.length === EVENT_CLASSES.length ? 'A' : classes.join('');
  return (
    all +
    'KEmn'
      .split('')
      .filter((flag) => text.includes(flag))
      .join('')
  );
}

function normalizeSave(text: string): string {
  const parts = words(text);
  const pairsAreSane = parts.every((part, index) => /^\d{1,18}$/.test(part) && (index % 2 === 1 || Number(part) >= 1));
  if (parts.length % 2 !== 0 || !pairsAreSane) throw new ClientError('Invalid save parameters');
  return parts.join(' ');
}

function normalizePercentiles(text: string): string {
  const values = words(text).map(Number);
  if (values.some((value) => Number.isNaN(value)))
    throw new ClientError('Invalid latency-tracking-info-percentiles parameters');
  if (values.some((value) => value < 0 || value > 100)) {
    throw new ClientError('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]');
  }
  return values.join(' ');
}

export interface OutputLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

const CLIENT_CLASSES: Readonly<Record<string, string>> = {
  normal: 'normal',
  slave: 'slave',
  replica: 'slave',
  pubsub: 'pubsub',
};

/** `client-output-buffer-limit`: groups of class, hard, soft, seconds; classes not named keep what they had. */
export function mergeOutputLimits(before: string, text: string): string {
  const parts = words(text);
  if (parts.length === 0 || parts.length % 4 !== 0)
    throw new ClientError('Wrong number of arguments in buffer limit configuration.');
  const limits = parseOutputLimits(before);
  for (let index = 0; index < parts.length; index += 4) {
    const name = CLIENT_CLASSES[(parts[index] ?? '').toLowerCase()];
    if (name === undefined) throw new ClientError('Invalid client class specified in buffer limit configuration.');
    const hard = parseMemory(parts[index + 1] ?? '');
    const soft = parseMemory(parts[index + 2] ?? '');
    const seconds = parts[index + 3] ?? '';
    if (hard === null || soft === null || !/^\d{1,9}$/.test(seconds)) {
      throw new ClientError('Error in hard, soft or soft_seconds setting in buffer limit configuration.');
    }
    limits.set(name, { hardBytes: Number(hard), softBytes: Number(soft), softSeconds: Number(seconds) });
  }
  return [...limits]
    .map(([name, limit]) => `${name} ${limit.hardBytes} ${limit.softBytes} ${limit.softSeconds}`)
    .join(' ');
}

export function parseOutputLimits(text: string): Map<string, OutputLimit> {
  const parts = words(text);
  const limits = new Map<string, OutputLimit>();
  for (let index = 0; index + 3 < parts.length; index += 4) {
    limits.set(parts[index] ?? '', {
      hardBytes: Number(parts[index + 1]),
      softBytes: Number(parts[index + 2]),
      softSeconds: Number(parts[index + 3]),
    });
  }
  return limits;
}
