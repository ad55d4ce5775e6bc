/** ACL and its subcommands. Facts as a redis-server 7.0.15 tells them; handlers are in proxy/commands/acl.ts. */
import type { Command } from './command.js';

const base = { group: 'server', support: 'yes', run: 'session', keys: null } as const;
const forAll = { ...base, flags: ['noscript', 'loading', 'stale'], categories: ['slow'] } as const;
const administrative = {
  ...base,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  categories: ['admin', 'slow', 'dangerous'],
} as const;

const subcommands: readonly Command[] = [
  {
    ...forAll,
    name: 'acl|cat',
    arity: -2,
    since: '6.0.0',
    summary: 'Lists the categories, or the commands of one.',
  },
  {
    ...administrative,
    name: 'acl|deluser',
    arity: -3,
    since: '6.0.0',
    support: 'partly',
    summary: 'Deletes users and closes their connections.',
    note: 'as SETUSER',
  },
  {
    ...administrative,
    name: 'acl|dryrun',
    arity: -4,
    since: '7.0.0',
    summary: 'Tells whether a user may execute a command, without executing it.',
  },
  {
    ...forAll,
    name: 'acl|genpass',
    arity: -2,
    since: '6.0.0',
    summary: 'Makes up a password.',
  },
  {
    ...administrative,
    name: 'acl|getuser',
    arity: 3,
    since: '6.0.0',
    summary: 'Describes what a user may do.',
  },
  {
    ...base,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    name: 'acl|help',
    arity: 2,
    since: '6.0.0',
    summary: 'Lists the subcommands of ACL.',
  },
  {
    ...administrative,
    name: 'acl|list',
    arity: 2,
    since: '6.0.0',
    summary: 'Describes all users as rules.',
  },
  {
    ...administrative,
    name: 'acl|load',
    arity: 2,
    since: '6.0.0',
    support: 'partly',
    summary: 'Would read the users from a file.',
    note: 'answers OK: meta keeps the users, and every proxy always has what meta has',
  },
  {
    ...administrative,
    name: 'acl|log',
    arity: -2,
    since: '6.0.0',
    support: 'partly',
    summary: 'Returns what users were refused, or forgets it.',
    note: 'of the proxy that is asked',
  },
  {
    ...administrative,
    name: 'acl|save',
    arity: 2,
    since: '6.0.0',
    support: 'partly',
    summary: 'Would write the users to a file.',
    note: 'answers OK: meta keeps the users, and has each change on disk before its reply',
  },
  {
    ...administrative,
    name: 'acl|setuser',
    arity: -3,
    since: '6.0.0',
    support: 'partly',
    summary: 'Creates or changes a user.',
    note: 'for the whole cluster and kept by meta: refused with an error while meta cannot be reached',
  },
  {
    ...administrative,
    name: 'acl|users',
    arity: 2,
    since: '6.0.0',
    summary: 'Lists the names of all users.',
  },
  {
    ...forAll,
    name: 'acl|whoami',
    arity: 2,
    since: '6.0.0',
    summary: 'Names the user of this connection.',
  },
];

export const aclCommand: Command = {
  ...base,
  flags: [],
  categories: ['slow'],
  name: 'acl',
  arity: -2,
  since: '6.0.0',
  run: 'container',
  summary: 'Users and what they may do, for the whole cluster.',
  subcommands,
};
