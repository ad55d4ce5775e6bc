/**
 * DEBUG, as far as test suites and tools need it. What looks into the insides of a Redis process is
 * refused; what would reload data from disk is OK at once, because what is acknowledged is there already.
 */
import { at, cInteger, word } from '../../shared/commands/arguments.js';
import { protocolSample } from '../../shared/commands/debug-protocol.js';
import { factsOf } from '../../shared/commands/object.js';
import { ErrorReply, OK, type Reply, SimpleString } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import { activeExpiry, digest, digestValues, facts } from '../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import { LATER, type Call, type SessionHandler } from '../context.js';
import { outcomeError } from '../pending.js';
import { PEAK_FORGOTTEN_MS } from '../reply-peak.js';
import { looseNumber } from './arguments.js';
import { askAll } from './ask-all.js';
import { populate } from './debug-populate.js';
import { heldUntilAnswered } from './held-until-answered.js';

/** This connection answers nothing else meanwhile; the others go on. */
function sleep(call: Call): typeof LATER {
  const answer = heldUntilAnswered(call);
  call.proxy.environment.after(Math.max(0, looseNumber(call.args[1]) * 1000), () => answer(OK));
  return LATER;
}

/** One operation whose result makes the reply. */
function ask(
  call: Call,
  key: Buffer,
  operation: ReturnType<typeof facts>,
  reply: (result: OperationResult) => Reply,
): typeof LATER {
  const finish = call.later();
  call.proxy.router.submit(call.proxy.table, slotOf(key), call.session.routed, call.session.database, operation, {
    onOutcome: (status, value) => finish(status === Status.ok ? reply(value) : outcomeError(status, value)),
  });
  return LATER;
}

function object(call: Call): typeof LATER {
  const key = at(call.args, 1);
  return ask(call, key, facts(key), (result) => {
    const found = factsOf(result);
    if (found === null) return new ErrorReply('ERR no such key');
    const clock = found.accessedAtSeconds & 0xff_ffff;
    return new SimpleString(
      `Value at:0x0 refcount:${found.references} encoding:${found.encoding} serializedlength:${found.serializedBytes} lru:${clock} lru_seconds_idle:${found.idleSeconds}`,
    );
  });
}

const hex = (result: OperationResult): string => (result as Buffer).toString('hex');

/** One operation on every partition; their results in any order make the reply. */
function replyOfAll(
  call: Call,
  operation: Operation,
  reply: (results: readonly OperationResult[]) => Reply,
): typeof LATER {
  const finish = call.later();
  askAll(call, operation, (results) => finish(results instanceof ErrorReply ? results : reply(results)));
  return LATER;
}

/** The digests of all partitions, which are independent of order, combined. */
function wholeDigest(call: Call): typeof LATER {
  return replyOfAll(call, digest(), (digests) => {
    const sum = Buffer.alloc(20);
    for (const each of digests)
      (each as Buffer).forEach((byte, index) => {
        sum[index] = (sum[index] ?? 0) ^ byte;
      });
    return new SimpleString(hex(sum));
  });
}

function setActiveExpire(call: Call): typeof LATER {
  return replyOfAll(call, activeExpiry(cInteger(call.args[1]) !== 0), () => OK);
}

function digestOfValues(call: Call): Reply | typeof LATER {
  const keys = call.args.slice(1);
  if (keys.length === 0) return [];
  const { proxy, session } = call;
  const finish = call.later();
  const replies: Reply[] = [];
  let left = keys.length;
  let failure: ErrorReply | null = null;
  keys.forEach((key, index) => {
    proxy.router.submit(proxy.table, slotOf(key), session.routed, session.database, digestValues([key]), {
      onOutcome(status, value) {
        if (status === Status.ok)
          replies[index] = new SimpleString(hex((value as readonly OperationResult[])[0] ?? null));
        else failure = outcomeError(status, value);
        left -= 1;
        if (left === 0) finish(failure ?? replies);
      },
    });
  });
  return LATER;
}

const protocol = ({ args, session }: Call): Reply => protocolSample(at(args, 1), session.resp);

function denyInScripts({ args, proxy }: Call): Reply {
  proxy.configuration.allowAllInScripts(String(at(args, 1)) === '1');
  for (const session of proxy.clients.all()) session.refreshSettings();
  return OK;
}

/** How long the largest reply of a connection counts; there is no buffer whose resizing could be turned off. */
function replyBuffer({ args, proxy }: Call): Reply {
  const time = word(args[2]);
  if (word(args[1]) !== 'PEAK-RESET-TIME') return OK;
  if (time === 'NEVER') proxy.clients.peakForgottenMs = Number.POSITIVE_INFINITY;
  else proxy.clients.peakForgottenMs = time === 'RESET' ? PEAK_FORGOTTEN_MS : cInteger(args[2]);
  return OK;
}

function stringmatch({ args }: Call): Reply {
  globMatches(at(args, 2), Buffer.alloc(Math.min(Math.max(0, cInteger(args[1])), 1 << 20), 'a'));
  return OK;
}

interface Subcommand {
  /** Words, the subcommand's own included. */
  readonly words: (count: number) => boolean;
  readonly run: (call: Call) => Reply | typeof LATER;
}

const exactly =
  (wanted: number) =>
  (count: number): boolean =>
    count === wanted;
const atLeast =
  (wanted: number) =>
  (count: number): boolean =>
    count >= wanted;
const accepted = (): Reply => OK;

const subcommands: Readonly<Record<string, Subcommand>> = {
  SLEEP: { words: exactly(2), run: sleep },
  OBJECT: { words: atLeast(2), run: object },
  DIGEST: { words: exactly(1), run: wholeDigest },
  'DIGEST-VALUE': { words: atLeast(2), run: digestOfValues },
  POPULATE: { words: (count) => count >= 2 && count <= 4, run: populate },
  PROTOCOL: { words: exactly(2), run: protocol },
  'STRINGMATCH-LEN': { words: exactly(3), run: stringmatch },
  RELOAD: { words: atLeast(1), run: accepted },
  LOADAOF: { words: exactly(1), run: accepted },
  LOG: { words: exactly(2), run: accepted },
  'SET-ACTIVE-EXPIRE': { words: exactly(2), run: setActiveExpire },
  'QUICKLIST-PACKED-THRESHOLD': { words: exactly(2), run: accepted },
  'SET-DISABLE-DENY-SCRIPTS': { words: exactly(2), run: denyInScripts },
  'CHANGE-REPL-ID': { words: exactly(1), run: accepted },
  'PAUSE-CRON': { words: exactly(2), run: accepted },
  REPLYBUFFER: { words: exactly(3), run: replyBuffer },
  DICT_RESIZING: { words: exactly(2), run: accepted },
};

const debug: SessionHandler = (call) => {
  const { args } = call;
  const name = word(args[0]);
  if (name === 'HELP' && args.length === 1) {
    return ['DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:', ...Object.keys(subcommands)].map(
      (line) => new SimpleString(line),
    );
  }
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined || !subcommand.words(args.length)) {
    throw new ClientError(
      `ERR unknown subcommand or wrong number of arguments for '${at(args, 0).toString('utf8', 0, 128)}'. Try DEBUG HELP.`,
    );
  }
  return subcommand.run(call);
};

export const debugHandlers = { debug } satisfies Record<string, SessionHandler>;
