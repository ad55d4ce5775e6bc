/** DUMP and RESTORE. How values are written is in shared/rdb, what is done to rows in server/rows/dumps.ts. */
import { migrateCommand } from './migrate.js';
import { ClientError } from '../errors.js';
import { Expiry } from '../operations/codes.js';
import * as operations from '../operations/dumps.js';
import type { Operation } from '../operations/operation.js';
import { dump as writeDump, readDump } from '../rdb/dump.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import { OK } from './reply.js';

const onOneKey = { group: 'generic', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;

const FREQUENCY_MAX = 255;

interface Options {
  replace: boolean;
  absolute: boolean;
  idleSeconds: number | null;
  frequency: number | null;
}

function options(args: readonly Buffer[]): Options {
  const found: Options = { replace: false, absolute: false, idleSeconds: null, frequency: null };
  for (let i = 3; i < args.length; i++) {
    const option = word(args[i]);
    const more = i + 1 < args.length;
    if (option === 'REPLACE') found.replace = true;
    else if (option === 'ABSTTL') found.absolute = true;
    else if (option === 'IDLETIME' && more && found.frequency === null) {
      found.idleSeconds = Number(integer(args[++i]));
      if (found.idleSeconds < 0) throw new ClientError('ERR Invalid IDLETIME value, must be >= 0');
    } else if (option === 'FREQ' && more && found.idleSeconds === null) {
      found.frequency = Number(integer(args[++i]));
      if (found.frequency < 0 || found.frequency > FREQUENCY_MAX) {
        throw new ClientError('ERR Invalid FREQ value, must be >= 0 and <= 255');
      }
    } else throw new ClientError(SYNTAX_ERROR);
  }
  return found;
}

/** Or what is wrong with it. */
function restoration(
  args: readonly Buffer[],
  given: Options,
  context: TranslateContext,
): operations.Restoration | string {
  try {
    const ttl = Number(integer(args[1]));
    if (ttl < 0) throw new ClientError('ERR Invalid TTL value, must be >= 0');
    const value = readDump(at(args, 2));
    return {
      value,
      expiry: ttl === 0 ? Expiry.none : given.absolute ? Expiry.absolute : Expiry.relative,
      ms: ttl,
      // Each acts only where a policy asks for it.
      idleSeconds: context.lfu === true ? null : given.idleSeconds,
      frequency: context.lfu === true ? given.frequency : null,
      compact: (value.type === 'hash' ? context.hashLimits : context.zsetLimits) ?? null,
    };
  } catch (error) {
    if (error instanceof ClientError) return error.message;
    throw error;
  }
}

const dump = {
  ...onOneKey,
  name: 'dump',
  arity: 2,
  since: '2.6.0',
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Returns the value of a key in the form that RESTORE takes, here and in Redis 7.0.',
  note: 'values of more than 128 MiB or 1,048,576 elements are refused; removed entries of a stream are left out; hashes with fields that expire are in the form of Redis 7.4',
  translate: (args) => operations.dump(at(args, 0)),
  reply: (result) => (result === null ? null : writeDump(operations.valueFromWire(result))),
} as const satisfies KeyedCommand;

const restore = {
  ...onOneKey,
  name: 'restore',
  arity: -4,
  since: '2.6.0',
  flags: ['write', 'denyoom'],
  categories: ['keyspace', 'write', 'slow', 'dangerous'],
  summary: 'Stores a value that DUMP gave, here or in a Redis up to 7.4.',
  note: 'of more than 128 MiB or 1,048,576 elements, modules and zipmaps (before Redis 2.6) are refused; a damaged value is always found out',
  translate: (args, context): Operation => {
    const given = options(args);
    return operations.restore(at(args, 0), given.replace, restoration(args, given, context));
  },
  reply: () => OK,
} as const satisfies KeyedCommand;

const restoreAsking = {
  ...restore,
  name: 'restore-asking',
  since: '3.0.0',
  group: 'server',
  flags: ['write', 'denyoom', 'asking'],
  summary: 'Does what RESTORE does; for Redis Cluster.',
} as const satisfies KeyedCommand;

export const dumpCommands: readonly Command[] = [dump, restore, restoreAsking, migrateCommand];
