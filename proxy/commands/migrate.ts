/**
 * MIGRATE: keys are dumped, restored at another server that speaks RESP, and deleted here if nobody has changed them
 * meanwhile. Nothing is blocked while the other server works, so a key that was changed stays, with an error that says so.
 */
import { connect, type Socket } from 'node:net';
import { at, cInteger, integer, SYNTAX_ERROR, word } from '../../shared/commands/arguments.js';
import type { KeyedCommand } from '../../shared/commands/command.js';
import { commands } from '../../shared/commands/index.js';
import { ErrorReply, OK, type Reply, SimpleString } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { marks, transaction, type TransactionKind, type Watched } from '../../shared/operations/transactions.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { CROSS_SLOT } from '../keys.js';
import { outcomeError } from '../pending.js';
import { heldUntilAnswered } from './held-until-answered.js';

const DEFAULT_TIMEOUT_MS = 1_000;
const CHANGED = 'ERR the keys changed while they were migrated: they are at the target, and here with what is newer';
/** Between looking at the keys and reading them they may change; then they are looked at again, this many times. */
const ATTEMPTS = 10;

interface Request {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly timeoutMs: number;
  readonly keys: readonly Buffer[];
  readonly copy: boolean;
  readonly replace: boolean;
  /** User, if any, and password. */
  readonly credentials: readonly Buffer[];
}

function parse(args: readonly Buffer[]): Request {
  let copy = false;
  let replace = false;
  let credentials: readonly Buffer[] = [];
  let keys: readonly Buffer[] = [at(args, 2)];
  for (let index = 5; index < args.length; index++) {
    const option = word(args[index]);
    if (option === 'COPY') copy = true;
    else if (option === 'REPLACE') replace = true;
    else if (option === 'AUTH' || option === 'AUTH2') {
      const count = option === 'AUTH' ? 1 : 2;
      if (index + count >= args.length) throw new ClientError(SYNTAX_ERROR);
      credentials = args.slice(index + 1, index + 1 + count);
      index += count;
    } else if (option === 'KEYS') {
      if (at(args, 2).length > 0)
        throw new ClientError('ERR When using MIGRATE KEYS option, the key argument must be set to the empty string');
      keys = args.slice(index + 1);
      break;
    } else throw new ClientError(SYNTAX_ERROR);
  }
  const timeoutMs = Number(integer(args[4]));
  const db = Number(integer(args[3]));
  const host = at(args, 0).toString('latin1');
  const port = cInteger(at(args, 1));
  return {
    host,
    port,
    db,
    timeoutMs: timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS,
    keys,
    copy,
    replace,
    credentials,
  };
}

interface Dumped {
  readonly key: Buffer;
  readonly payload: Buffer;
  /** 0: it does not expire. */
  readonly ttlMs: number;
}

const row = (name: string): KeyedCommand => commands.get(name) as KeyedCommand;

class Migration {
  private readonly call: Call;
  private readonly request: Request;
  private readonly finish: (reply: Reply) => void;
  private attempts = 0;

  constructor(call: Call, request: Request, finish: (reply: Reply) => void) {
    this.call = call;
    this.request = request;
    this.finish = finish;
  }

  /** Looks at the keys, and then reads those that are there, as they were looked at. */
  begin(): void {
    const { keys } = this.request;
    this.submit(marks(keys), (found) => {
      const { db } = this.call.session.context;
      const watched = keys.flatMap((key, index): Watched[] => {
        const mark = ((found as readonly OperationResult[])[index] ?? null) as Buffer | null;
        return mark === null ? [] : [{ db, key, mark }];
      });
      if (watched.length === 0) this.finish(new SimpleString('NOKEY'));
      else this.read(watched);
    });
  }

  private read(watched: readonly Watched[]): void {
    const { context } = this.call.session;
    const parts = ['dump', 'pttl'].flatMap((name) => watched.map(({ key }) => row(name).translate([key], context)));
    this.together('reads', watched, parts, (results) => {
      if (results === null && ++this.attempts < ATTEMPTS) return this.begin();
      if (results === null) return this.finish(new ErrorReply('ERR not executed: the keys change all the time'));
      const replies = results.map(([executed, value], index) => {
        const command = row(index < watched.length ? 'dump' : 'pttl');
        if (!executed) throw new ClientError(String(value));
        return command.reply(value, [], context);
      });
      const dumped = watched.flatMap(({ key }, index): Dumped[] => {
        const payload = replies[index] ?? null;
        const ttlMs = Math.max(0, Number(replies[watched.length + index]));
        return payload === null ? [] : [{ key, payload: payload as Buffer, ttlMs }];
      });
      this.send(watched, dumped);
    });
  }

  private send(watched: readonly Watched[], dumped: readonly Dumped[]): void {
    const { db, replace, credentials } = this.request;
    const lines: Buffer[][] = [];
    const text = (...words: (string | Buffer)[]): void =>
      void lines.push(words.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
    if (credentials.length > 0) text('AUTH', ...credentials);
    text('SELECT', String(db));
    const preface = lines.length;
    for (const { key, payload, ttlMs } of dumped)
      text('RESTORE', key, String(ttlMs), payload, ...(replace ? ['REPLACE'] : []));
    new Exchange(this.request, lines, (failure, replies) => {
      const error = replies.find((reply) => reply.startsWith('-'));
      const mayHave = replies.slice(0, preface).every((reply) => !reply.startsWith('-'));
      const restored = mayHave ? dumped.filter((_, index) => replies[preface + index]?.startsWith('-') === false) : [];
      const reply =
        error !== undefined
          ? new ErrorReply(`ERR Target instance replied with error: ${error.slice(1)}`)
          : failure !== null
            ? new ErrorReply(failure)
            : OK;
      this.remove(watched, restored, reply);
    });
  }

  private remove(watched: readonly Watched[], restored: readonly Dumped[], reply: Reply): void {
    if (this.request.copy || restored.length === 0) return this.finish(reply);
    const { context } = this.call.session;
    const keys = restored.map(({ key }) => key);
    const unchanged = watched.filter(({ key }) => keys.includes(key));
    this.together('writes', unchanged, [row('del').translate(keys, context)], (results) =>
      this.finish(results === null ? new ErrorReply(CHANGED) : reply),
    );
  }

  private together(
    kind: TransactionKind,
    watched: readonly Watched[],
    operations: readonly Operation[],
    done: (results: readonly (readonly [boolean, OperationResult])[] | null) => void,
  ): void {
    const { db } = this.call.session.context;
    const parts = operations.map((operation) => ({ db, operation }));
    this.submit(transaction(kind, watched, parts), (value) =>
      done(value as readonly (readonly [boolean, OperationResult])[] | null),
    );
  }

  private submit(operation: Operation, done: (value: OperationResult) => void): void {
    const { proxy, session } = this.call;
    const slot = slotOf(this.request.keys[0] as Buffer);
    proxy.router.submit(proxy.table, slot, session.routed, session.context.db, operation, {
      onOutcome: (status, value) => {
        if (status !== Status.ok) return this.finish(outcomeError(status, value));
        try {
          done(value);
        } catch (error) {
          if (!(error instanceof ClientError)) throw error;
          this.finish(new ErrorReply(error.message));
        }
      },
    });
  }
}

/** Sends requests to another server and gathers the first lines of its replies. */
class Exchange {
  private readonly socket: Socket;
  private readonly wanted: number;
  private readonly done: (failure: string | null, replies: readonly string[]) => void;
  private readonly replies: string[] = [];
  private connected = false;
  private over = false;
  private text = '';

  constructor(
    { host, port, timeoutMs }: Request,
    lines: readonly (readonly Buffer[])[],
    done: (failure: string | null, replies: readonly string[]) => void,
  ) {
    this.wanted = lines.length;
    this.done = done;
    this.socket = connect({ host, port });
    this.socket.setTimeout(timeoutMs, () => this.fail());
    this.socket.on('error', () => this.fail());
    this.socket.on('close', () => this.fail());
    this.socket.on('connect', () => {
      this.connected = true;
      for (const words of lines) {
        this.socket.write(`*${words.length}\r\n`);
        for (const each of words) {
          this.socket.write(`$${each.length}\r\n`);
          this.socket.write(each);
          this.socket.write('\r\n');
        }
      }
    });
    this.socket.on('data', (chunk: Buffer) => this.onData(chunk));
  }

  private onData(chunk: Buffer): void {
    const lines = (this.text + chunk.latin1Slice()).split('\r\n');
    this.text = lines.pop() ?? '';
    this.replies.push(...lines);
    if (this.replies.length >= this.wanted) this.end(null);
  }

  private fail(): void {
    this.end(
      this.connected
        ? 'IOERR error or timeout reading to target instance'
        : 'IOERR error or timeout connecting to the client',
    );
  }

  private end(failure: string | null): void {
    if (this.over) return;
    this.over = true;
    this.socket.destroy();
    this.done(failure, this.replies);
  }
}

const migrate: SessionHandler = (call) => {
  const { proxy } = call;
  const request = parse(call.args);
  const [slot, ...others] = request.keys.map((key) => slotOf(key));
  const anywhere = proxy.table.partitions.length === 1 || proxy.table.facts?.multiKey === 'any';
  if (slot === undefined) throw new ClientError(SYNTAX_ERROR);
  if (!anywhere && others.some((other) => other !== slot)) throw new ClientError(CROSS_SLOT);
  new Migration(call, request, heldUntilAnswered(call)).begin();
  return LATER;
};

export const migrateHandlers = { migrate } satisfies Record<string, SessionHandler>;
