/** MIGRATE. Facts as a redis-server 7.0.15 tells them; the handler is in proxy/commands/migrate.ts. */
import { word } from './arguments.js';
import type { SessionCommand } from './command.js';

/** How many arguments follow each option before KEYS. */
const OPTIONS: Readonly<Record<string, number>> = { AUTH: 1, AUTH2: 2 };

/** Where KEYS is among the options; -1: it is not there. */
export function keysOptionAt(args: readonly Buffer[]): number {
  for (let at = 5; at < args.length; at++) {
    const option = word(args[at]);
    if (option === 'KEYS') return at;
    at += OPTIONS[option] ?? 0;
  }
  return -1;
}

export const migrateCommand = {
  name: 'migrate',
  arity: -6,
  group: 'generic',
  since: '2.6.0',
  run: 'session',
  support: 'partly',
  flags: ['write', 'movablekeys'],
  categories: ['keyspace', 'write', 'slow', 'dangerous'],
  keys: { first: 3, last: 3, step: 1 },
  keysOf(args) {
    const at = keysOptionAt(args);
    if (at < 0) return [2];
    if (args[2]?.length !== 0) return [];
    return Array.from({ length: args.length - at - 1 }, (_, i) => at + 1 + i);
  },
  tips: ['nondeterministic_output'],
  summary: 'Moves keys to another server that speaks the Redis protocol.',
  note: 'nothing is blocked meanwhile: a key that changed while it was sent stays here, too, and the error says so',
} as const satisfies SessionCommand;
