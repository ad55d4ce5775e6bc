/** docs/compatibility.md, derived from the command table: what works, what differs, what is not there (yet). */
import { limits } from '../limits.js';
import type { Command, CommandGroup } from './command.js';
import { redisCommandNames } from './redis-names.js';

const GROUP_TITLES: Readonly<Record<CommandGroup, string>> = {
  connection: 'Connection',
  server: 'Server',
  string: 'Strings',
  generic: 'Keys',
  hash: 'Hashes',
  list: 'Lists',
  set: 'Sets',
  'sorted-set': 'Sorted sets',
  stream: 'Streams',
  bitmap: 'Bitmaps',
  hyperloglog: 'HyperLogLog',
  geo: 'Geo',
  pubsub: 'Pub/sub',
  scripting: 'Scripts and functions',
  transactions: 'Transactions',
  cluster: 'Cluster',
};

const HEADER = `# Compatibility with Redis

Generated from the command table (\`shared/commands\`) by \`npm run docs\`; a test fails when it is out of date.

Commands are those of Redis 7.0 (240 names), and some of later versions that clients send. Names, arguments, replies and
error texts are Redis's, in RESP2 and RESP3.

- **yes**: as in Redis.
- **partly**: works, but for what the note says.
- **refused**: known, answered with a clear error, for the reason in the note.
- **not yet**: answered as an unknown command.

What differs in general:

- A write is acknowledged once every replica of its partition has it. So \`WAIT\` never waits.
- \`-ERR\` always means that the command was not executed. When that cannot be known (a server was lost and the deadline
  passed before another could answer), the error begins with \`-UNKNOWN\`.
- In a table with \`multiKey slot\`, the keys of one command must share a slot, as in Redis Cluster, but for commands marked
  *any slots*, which are split by partition (each part is atomic, the whole is not).
- \`CONFIG\`, \`CLIENT LIST\`, \`INFO\`'s counters, \`SLOWLOG\` and \`LATENCY\` are those of the proxy that is asked. What scripts
  called, and what expired or was evicted, is counted where it happens: the same for all proxies, and from 0 when a partition
  changes its primary.
- One command reads at most ${limits.operationEntries.toLocaleString('en')} elements of a collection (SMEMBERS of a larger set, for instance, is refused
  before anything is read): its reply is made in one go, and nobody else should have to wait for it. Ranges and the SCAN
  commands read any size, and removing a collection of any size takes no time.
- \`WATCH\` compares what is there: a key that is absent when it is watched and absent at \`EXEC\` counts as unchanged, though it
  may have come and gone in between; in Redis it counts as touched.
- Data is always on disk: \`SAVE\`, \`BGSAVE\` and the append-only file have nothing to do.

- What a command only reads it does not change: in Redis a \`SORT\` leaves a sorted set as a skiplist, which \`OBJECT ENCODING\`
  tells. A HyperLogLog that somebody damaged is said to be corrupt by whatever reads it, in Redis by some commands later.
- Who waits for several keys (BLPOP, XREAD BLOCK) while a transaction or a script writes to several of them is given what it would
  be given if it asked then: by the order of its own keys. Redis gives of the key that was written first.

Random commands run against Redis side by side with \`npm run conformance -- --differential\`: but for these differences, and
options of later versions, replies are equal byte for byte.

Redis's own tests run with \`npm run conformance\`; which of them do not pass, and why, is at the [end](#rediss-own-tests).
`;

const SUPPORT: Readonly<Record<Command['support'], string>> = { yes: 'yes', partly: 'partly', no: 'refused' };

export function compatibilityPage(commands: ReadonlyMap<string, Command>): string {
  const groups = Object.keys(GROUP_TITLES) as CommandGroup[];
  return [HEADER, summary(commands), ...groups.map((group) => section(group, commands))].join('\n');
}

function summary(commands: ReadonlyMap<string, Command>): string {
  const names = Object.values(redisCommandNames).flat();
  const count = (support: Command['support'] | undefined): number =>
    names.filter((name) => commands.get(name)?.support === support).length;
  return `Of the ${names.length} commands: ${count('yes')} yes, ${count('partly')} partly, ${count('no')} refused, ${count(undefined)} not yet.\n`;
}

function section(group: CommandGroup, commands: ReadonlyMap<string, Command>): string {
  const later = [...commands.values()]
    .filter((command) => command.group === group && !redisCommandNames[group].includes(command.name))
    .map(({ name }) => name);
  const rows: string[] = [];
  const missing: string[] = [];
  for (const name of [...redisCommandNames[group], ...later].sort()) {
    const command = commands.get(name);
    if (command === undefined) missing.push(name.toUpperCase());
    else rows.push(row(command), ...(command.subcommands ?? []).map(row));
  }
  const table = rows.length === 0 ? '' : `| command | support | what it does |\n|---|---|---|\n${rows.join('\n')}\n`;
  const notYet = missing.length === 0 ? '' : `\nNot yet: ${missing.join(', ')}.\n`;
  return `## ${GROUP_TITLES[group]}\n\n${table}${rows.length === 0 ? notYet.trimStart() : notYet}`;
}

function row(command: Command): string {
  const union = command.run === 'keyed' && command.union !== undefined ? ' *Any slots.*' : '';
  const note = command.note === undefined ? '' : ` ${sentence(command.note)}`;
  const text = `${command.summary}${union}${note}`.replaceAll('|', '\\|');
  return `| ${command.name.replace('|', ' ').toUpperCase()} | ${SUPPORT[command.support]} | ${text} |`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
