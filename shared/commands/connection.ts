/** Commands that concern the connection. Facts as a redis-server 7.0.15 tells them; handlers are in proxy/commands. */
import type { Command } from './command.js';

/** Those of 7.2 that clients send at once are there too. */
const clientSubcommands: readonly Command[] = [
  {
    name: 'client|getname', arity: 2, since: '2.6.9', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Returns the name that the connection gave itself.',
  },
  {
    name: 'client|getredir', arity: 2, since: '6.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Tells where invalidation messages of this connection go.',
  },
  {
    name: 'client|help', arity: 2, since: '5.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Lists the subcommands of CLIENT.',
  },
  {
    name: 'client|id', arity: 2, since: '5.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Returns the number of this connection, unique in its proxy.',
  },
  {
    name: 'client|info', arity: 2, since: '6.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Describes this connection in one line.',
  },
  {
    name: 'client|kill', arity: -3, since: '2.4.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Closes connections, chosen by address, id, type, user or age.',
  },
  {
    name: 'client|list', arity: -2, since: '2.4.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Describes the connections of this proxy, one a line.',
    note: 'lists the clients of the proxy that is asked',
  },
  {
    name: 'client|no-evict', arity: 3, since: '7.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Exempts the connection from client eviction; kept and shown.',
  },
  {
    name: 'client|no-touch', arity: 3, since: '7.2.0', group: 'connection', support: 'partly', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Makes reads of this connection leave no trace in access times.',
    note: 'accepted and shown; reads still count as accesses',
  },
  {
    name: 'client|pause', arity: -3, since: '2.9.50', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Makes clients of this proxy wait for a time.',
  },
  {
    name: 'client|reply', arity: 3, since: '3.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Turns replies to this connection on or off, or skips one.',
  },
  {
    name: 'client|setinfo', arity: 4, since: '7.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Records the name or version of the client library.',
  },
  {
    name: 'client|setname', arity: 3, since: '2.6.9', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Names the connection.',
  },
  {
    name: 'client|trackinginfo', arity: 2, since: '6.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Tells how this connection tracks keys.',
  },
  {
    name: 'client|unblock', arity: -3, since: '5.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Wakes a blocked client.',
  },
  {
    name: 'client|unpause', arity: 2, since: '6.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous', 'connection'],
    summary: 'Ends CLIENT PAUSE.',
  },
];

export const connectionCommands: readonly Command[] = [
  {
    name: 'auth', arity: -2, since: '1.0.0', group: 'connection', support: 'partly', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'], categories: ['fast', 'connection'],
    summary: 'Gives the password, and a user name if wanted.',
    note: 'there is one user, default; ACL comes later',
  },
  {
    name: 'client', arity: -2, since: '2.4.0', group: 'connection', support: 'yes', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Everything about connections.',
    subcommands: clientSubcommands,
  },
  {
    name: 'echo', arity: 2, since: '1.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['fast', 'connection'],
    summary: 'Returns its argument.',
  },
  {
    name: 'hello', arity: -1, since: '6.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'], categories: ['fast', 'connection'],
    summary: 'Chooses the protocol version, and can authenticate and name the connection.',
  },
  {
    name: 'ping', arity: -1, since: '1.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['fast'], categories: ['fast', 'connection'],
    summary: 'Answers PONG, or its argument.',
  },
  {
    name: 'quit', arity: -1, since: '1.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'], categories: ['fast', 'connection'],
    summary: 'Closes the connection after the replies still owed.',
  },
  {
    name: 'reset', arity: 1, since: '6.2.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'], categories: ['fast', 'connection'],
    summary: 'Puts the connection back to how it began.',
  },
  {
    name: 'select', arity: 2, since: '1.0.0', group: 'connection', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['fast', 'connection'],
    summary: 'Chooses the database of this connection, 0 to 15.',
  },
  {
    name: 'wait', arity: 3, since: '3.0.0', group: 'generic', support: 'yes', run: 'session', keys: null,
    flags: ['noscript'], categories: ['slow', 'connection'],
    summary: 'Tells how many replicas have all earlier writes of this connection.',
    note: 'a write is acknowledged once all replicas of its partition have it, so the answer is at once their number',
  },
];
