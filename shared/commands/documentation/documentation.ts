/** What COMMAND DOCS says of a command beside what its row says; read from the tables when it is asked for. */
import { collectionSyntax } from './collection-syntax.js';
import { keyspaceSyntax } from './keyspace-syntax.js';
import { type Argument, linesByName, readSyntax } from './notation.js';
import { serverSyntax } from './server-syntax.js';

export interface Documentation {
  /** As `O(N)`; null: it cannot be said in general. */
  readonly cost: string | null;
  readonly parts: readonly Argument[];
  /** What later versions brought, oldest first. */
  readonly history: readonly (readonly [version: string, text: string])[];
  readonly deprecated: { readonly since: string; readonly replacedBy: string } | null;
  readonly internal: boolean;
}

const lines = new Map([keyspaceSyntax, collectionSyntax, serverSyntax].flatMap(linesByName));

/** Since when, and what does the same: a command, and words of it. */
const deprecated = new Map(
  `
  brpoplpush 6.2.0 BLMOVE RIGHT LEFT
  cluster|slaves 5.0.0 CLUSTER-REPLICAS
  cluster|slots 7.0.0 CLUSTER-SHARDS
  georadius 6.2.0 GEOSEARCH BYRADIUS
  georadius_ro 6.2.0 GEOSEARCH BYRADIUS
  georadiusbymember 6.2.0 GEOSEARCH BYRADIUS FROMMEMBER
  georadiusbymember_ro 6.2.0 GEOSEARCH BYRADIUS FROMMEMBER
  getset 6.2.0 SET GET
  hmset 4.0.0 HSET
  rpoplpush 6.2.0 LMOVE RIGHT LEFT
  slaveof 5.0.0 REPLICAOF
  substr 2.0.0 GETRANGE
  zrangebylex 6.2.0 ZRANGE BYLEX
  zrangebyscore 6.2.0 ZRANGE BYSCORE
  zrevrange 6.2.0 ZRANGE REV
  zrevrangebylex 6.2.0 ZRANGE REV BYLEX
  zrevrangebyscore 6.2.0 ZRANGE REV BYSCORE
  `
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', since = '', command = '', ...words] = line.trim().split(' ');
      return [name, { since, replacedBy: inWords([command.replace('-', ' '), ...words]) }];
    }),
);

const internal: ReadonlySet<string> = new Set(['debug', 'pfdebug', 'pfselftest', 'replconf', 'restore-asking']);

/** Of a command or, as `client|list`, a subcommand. */
export function documentationOf(name: string): Documentation | null {
  const line = lines.get(name);
  if (line === undefined) return null;
  const { cost, parts } = readSyntax(line);
  return {
    cost,
    parts,
    history: historyOf(parts),
    deprecated: deprecated.get(name) ?? null,
    internal: internal.has(name),
  };
}

/** A command, and options that it needs for this. */
function inWords([command = '', ...options]: readonly string[]): string {
  const quoted = options.map((option) => `\`${option}\``);
  return `\`${command}\`${quoted.length === 0 ? '' : ` with ${quoted.join(' and ')}`}`;
}

/** What arguments say of their versions. */
function historyOf(parts: readonly Argument[]): [string, string][] {
  const byVersion = new Map<string, Set<string>>();
  const visit = (argument: Argument): void => {
    const { since, token, name } = argument;
    if (since !== null) {
      const words = byVersion.get(since) ?? new Set();
      for (const word of namesOf(argument, token ?? name)) words.add(word);
      byVersion.set(since, words);
    }
    for (const part of argument.parts) visit(part);
  };
  for (const part of parts) visit(part);
  return [...byVersion]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([version, words]) => [version, `Takes ${[...words].map((word) => `\`${word}\``).join(', ')}.`]);
}

/** The words that a choice between words consists of. */
function namesOf({ type, parts }: Argument, name: string): string[] {
  const words = parts.flatMap(({ token, since }) => (token === null || since !== null ? [] : [token]));
  return type === 'oneof' && words.length > 0 ? words : [name];
}
