/** What a script may call of the commands that a proxy answers itself: here as its partition's primary answers them. */
import { at, cInteger, word } from '../../shared/commands/arguments.js';
import { protocolSample } from '../../shared/commands/debug-protocol.js';
import { OK, type Reply, SimpleString } from '../../shared/commands/reply.js';
import { KeysWalk, ScanWalk, type Walk } from '../../shared/commands/scan.js';
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { publish, Topic } from '../../shared/operations/pubsub.js';

interface Surroundings {
  readonly resp: 2 | 3;
  readonly view: { readonly nowMs: number };
  execute(operation: Operation): OperationResult;
  select(db: number): void;
}

type OwnCommand = (script: Surroundings, args: readonly Buffer[]) => Reply;

function walked(script: Surroundings, walk: Walk): Reply {
  while (!walk.finished) walk.add(script.execute(walk.operation()));
  return walk.reply();
}

export const ownCommands: ReadonlyMap<string, OwnCommand> = new Map<string, OwnCommand>([
  [
    'ping',
    (_script, args) => {
      if (args.length > 1) throw new ClientError("ERR wrong number of arguments for 'ping' command");
      return args[0] ?? new SimpleString('PONG');
    },
  ],
  ['echo', (_script, args) => args[0] ?? null],
  [
    'select',
    (script, args) => {
      const db = cInteger(args[0], 'ERR value is not an integer or out of range');
      if (db < 0 || db >= limits.databases) throw new ClientError('ERR DB index is out of range');
      script.select(db);
      return OK;
    },
  ],
  // the same during all of a script, and when it is begun anew
  ['time', ({ view }) => [String(Math.floor(view.nowMs / 1000)), String((view.nowMs % 1000) * 1000)]],
  ['publish', (script, args) => script.execute(publish(Topic.channel, at(args, 0), at(args, 1)))],
  ['spublish', (script, args) => script.execute(publish(Topic.shardChannel, at(args, 0), at(args, 1)))],
  // where all is allowed, for tests
  ['debug', (script, args) => (word(args[0]) === 'PROTOCOL' ? protocolSample(at(args, 1), script.resp) : OK)],
  ['keys', (script, args) => walked(script, new KeysWalk(args))],
  ['scan', (script, args) => walked(script, new ScanWalk(args))],
]);
