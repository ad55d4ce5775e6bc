/**
 * Commands on one partition without a network: looked up, translated, executed on the fake view and
 * encoded as the proxy would.
 */
import { Output, encodeReply } from '../../../proxy/resp/encoder.js';
import type { Command, TranslateContext } from '../../../shared/commands/command.js';
import { commands } from '../../../shared/commands/index.js';
import { ErrorReply, OK, type Reply } from '../../../shared/commands/reply.js';
import { KeysWalk, ScanWalk } from '../../../shared/commands/scan.js';
import { ClientError } from '../../../shared/errors.js';
import { limits } from '../../../shared/limits.js';
import { FakePartition } from './fake-view.js';

export class OnePartition {
  readonly partition = new FakePartition();
  resp: 2 | 3 = 2;
  lfu = false;
  #db = 0;

  /** RESP bytes as latin1 text. */
  send(words: readonly (string | Buffer)[]): string {
    const output = new Output();
    encodeReply(output, this.reply(words), this.resp);
    const taken = output.take();
    return typeof taken === 'string'
      ? taken
      : taken.map((piece) => (typeof piece === 'string' ? piece : piece.latin1Slice())).join('');
  }

  reply(words: readonly (string | Buffer)[]): Reply {
    const [name, ...args] = words.map((word) => (typeof word === 'string' ? Buffer.from(word) : word));
    try {
      return this.#answer(String(name).toLowerCase(), args);
    } catch (error) {
      if (error instanceof ClientError) return new ErrorReply(error.message);
      throw error;
    }
  }

  #answer(name: string, args: readonly Buffer[]): Reply {
    if (name === 'select') {
      this.#db = Number(args[0]);
      return OK;
    }
    const command = commands.get(name);
    if (command === undefined) throw new ClientError(`ERR unknown command '${name}'`);
    checkArity(command, args.length + 1);
    if (command.run !== 'container') return this.#run(command, args);
    const [word, ...rest] = args;
    const subcommand = command.subcommands.find((row) => row.name === `${name}|${String(word).toLowerCase()}`);
    if (subcommand === undefined) {
      throw new ClientError(`ERR unknown subcommand '${String(word)}'. Try ${name.toUpperCase()} HELP.`);
    }
    checkArity(subcommand, args.length + 1);
    return this.#run(subcommand, rest);
  }

  #run(command: Command, args: readonly Buffer[]): Reply {
    const context: TranslateContext = { resp: this.resp, db: this.#db, databases: limits.databases, lfu: this.lfu };
    if (command.run === 'keyed') {
      return command.reply(this.partition.execute(command.translate(args, context), this.#db), args, context);
    }
    if (command.run === 'whole') {
      return command.merge([this.partition.execute(command.translate(args, context), this.#db)], args, context);
    }
    if (command.run === 'constant') return command.answer(args, context);
    const walk = command.name === 'keys' ? new KeysWalk(args) : new ScanWalk(args);
    while (!walk.finished) walk.add(this.partition.execute(walk.operation(), this.#db));
    return walk.reply();
  }
}

function checkArity(command: Command, words: number): void {
  const fits = command.arity > 0 ? words === command.arity : words >= -command.arity;
  if (!fits) throw new ClientError(`ERR wrong number of arguments for '${command.name}' command`);
}
