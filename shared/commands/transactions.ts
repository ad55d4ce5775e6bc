/** Transactions. Facts as a redis-server 7.0.15 tells them; handlers are in proxy/commands/transactions.ts. */
import type { Command } from './command.js';

const base = { group: 'transactions', support: 'yes', run: 'session', keys: null } as const;
const quick = {
  ...base,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  categories: ['fast', 'transaction'],
} as const;

export const transactionCommands: readonly Command[] = [
  { ...quick, name: 'multi', arity: 1, since: '1.2.0', summary: 'Begins a transaction: what follows is queued.' },
  {
    ...base,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    categories: ['slow', 'transaction'],
    name: 'exec',
    arity: 1,
    since: '1.2.0',
    summary: 'Executes what was queued, at once and alone.',
    note: 'in a table with several partitions, all keys must share a slot, and commands on the whole keyspace are refused within a transaction',
  },
  { ...quick, name: 'discard', arity: 1, since: '2.0.0', summary: 'Forgets what was queued and what is watched.' },
  {
    ...quick,
    name: 'watch',
    arity: -2,
    since: '2.2.0',
    keys: { first: 1, last: -1, step: 1 },
    summary: 'Makes the next EXEC fail if one of these keys has changed by then.',
    note: 'compares what the keys are like at EXEC with what they were like at WATCH; a key that was absent, came and went is unchanged. Survives failovers',
  },
  { ...quick, name: 'unwatch', arity: 1, since: '2.2.0', summary: 'Watches nothing any more.' },
];
