/** From what a person wrote to a value of an option's type, or an error that names the option and where it stood. */
import type { Role } from '../cluster.js';
import { OperatingError } from '../errors.js';
import { type OptionName, type OptionRow, options, ROLES } from './options.js';

export type Value = string | number | boolean | readonly Role[];

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1_000,
  kb: 1_024,
  kib: 1_024,
  m: 1_000_000,
  mb: 1_048_576,
  mib: 1_048_576,
  g: 1_000_000_000,
  gb: 1_073_741_824,
  gib: 1_073_741_824,
};

/** `raw` is a string from a flag or a variable, or any JSON value from the file; `source` is named in the error. */
export function parseValue(name: OptionName, raw: unknown, source: string): Value {
  const row: OptionRow = options[name];
  const refuse = (expected: string): never => {
    const shown = row.secret === true ? 'its value' : JSON.stringify(raw);
    throw new OperatingError('E_CONFIG', `${name} (${source}): ${shown} is not ${expected}`);
  };
  switch (row.type) {
    case 'integer':
    case 'bytes': {
      const value = row.type === 'bytes' ? bytesOf(raw) : integerOf(raw);
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = row;
      if (value === null || value < min || value > max) {
        const kind = row.type === 'bytes' ? 'a size' : 'an integer';
        const why = row.limits === undefined ? '' : ` (${row.limits})`;
        return refuse(`${kind} from ${min} to ${max}${why}`);
      }
      return value;
    }
    case 'boolean':
      if (raw === true || raw === 'true' || raw === 'yes') return true;
      if (raw === false || raw === 'false' || raw === 'no') return false;
      return refuse('true or false');
    case 'choice':
      if (typeof raw === 'string' && row.choices?.includes(raw) === true) return raw;
      return refuse(`one of ${row.choices?.join(', ')}`);
    case 'roles':
      return rolesOf(raw) ?? refuse(`a list of ${ROLES.join(', ')}`);
    case 'string':
      if (typeof raw !== 'string') return refuse('a text');
      if (row.pattern !== undefined && !row.pattern[0].test(raw)) return refuse(row.pattern[1]);
      return raw;
  }
}

function integerOf(raw: unknown): number | null {
  if (typeof raw === 'number') return Number.isSafeInteger(raw) ? raw : null;
  return typeof raw === 'string' && /^-?\d{1,15}$/.test(raw) ? Number(raw) : null;
}

/** Units as in redis.conf: k is 1000, kb is 1024. */
function bytesOf(raw: unknown): number | null {
  if (typeof raw === 'number') return Number.isSafeInteger(raw) ? raw : null;
  const match = typeof raw === 'string' ? /^(\d{1,15})([a-z]*)$/i.exec(raw) : null;
  if (match === null) return null;
  const unit = UNITS[(match[2] ?? '').toLowerCase()];
  return unit === undefined ? null : Number(match[1]) * unit;
}

function rolesOf(raw: unknown): Role[] | null {
  const names: unknown[] = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : [];
  const roles = ROLES.filter((role) => names.includes(role));
  return roles.length === names.length && roles.length > 0 ? roles : null;
}
