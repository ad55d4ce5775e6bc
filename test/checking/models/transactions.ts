/**
 * MULTI ... EXEC as one operation. Its words are `MULTI` and each queued command as JSON; its reply is EXEC's. With `WATCH`, a key
 * and then the commands, a GET of that key stood between WATCH and MULTI: the reply is [what GET said, what EXEC said]. Values
 * are unique, so where EXEC was not refused the key must still hold what GET saw. The GET is an operation by itself, too.
 * A script within EXEC may find, and it alone, that a full disk takes nothing that grows: then it changed nothing.
 */
import { isError, type Reply } from '../history.js';
import { Draft, type Expected, ModelError } from './keyspace.js';
import { argument, matches, type Specification, type Specifications } from './specification.js';

type Lookup = (command: readonly string[]) => {
  readonly specification: Specification;
  readonly keys: readonly string[] | null;
};

/** The queued commands of a transaction; of any other command, itself. */
export function queuedIn(command: readonly string[]): readonly (readonly string[])[] {
  const name = (command[0] ?? '').toLowerCase();
  if (name !== 'multi' && name !== 'watch') return [command];
  return command.slice(name === 'multi' ? 1 : 2).map((text) => JSON.parse(text) as string[]);
}

/** Each command in turn; one that fails changes nothing, and the others go on. */
function runAll(lookup: Lookup, draft: Draft, commands: readonly (readonly string[])[]): Expected {
  const expected = commands.map((command): Expected => {
    if (command[0] === REFUSED) return wasRefused;
    const alone = new Draft(draft.keyspace, draft.moment);
    try {
      const reply = lookup(command).specification.run(alone, command.slice(1));
      draft.become(alone.keyspace);
      return reply;
    } catch (error) {
      if (error instanceof ModelError) return { error: error.message };
      throw error;
    }
  });
  if (expected.every((reply) => typeof reply !== 'function')) return expected as readonly Reply[];
  return (observed) =>
    Array.isArray(observed) &&
    observed.length === expected.length &&
    expected.every((reply, index) => matches(reply, (observed as readonly Reply[])[index] ?? null));
}

/** Stands before a script that was refused. */
const REFUSED = 'refused';

const wasRefused = (observed: Reply): boolean => isError(observed) && observed.error.startsWith('OOM ');

/** Which scripts were refused, given EXEC's reply; where that never came, all or none. */
function refusals(texts: readonly string[], executed: Reply | undefined): readonly (readonly string[])[] {
  const refusedWhere = (isRefused: (index: number) => boolean): readonly string[] =>
    texts.map((text, index) => {
      const command = JSON.parse(text) as string[];
      return command[0] === 'EVAL' && isRefused(index) ? JSON.stringify([REFUSED, ...command]) : text;
    });
  if (executed === undefined) return [texts, refusedWhere(() => true)];
  const replies = Array.isArray(executed) ? (executed as readonly Reply[]) : [];
  return [refusedWhere((index) => wasRefused(replies[index] ?? null))];
}

const HELD = 'held';
const ANYHOW = 'anyhow';
const FAILED = 'failed';

/** What may have happened, given the reply: EXEC found the key as GET had, or nobody knows how, or it was refused. */
function choices(_: Draft, args: readonly string[], observed: Reply | undefined): readonly (readonly string[])[] {
  const [key = '', ...texts] = args;
  if (observed === undefined) return refusals(texts, undefined).map((each) => [ANYHOW, key, ...each]);
  const [seen = null, executed = null] = observed as readonly Reply[];
  if (executed === null) return [[FAILED, ...args]];
  return refusals(texts, executed).map((each) => [isError(seen) ? ANYHOW : HELD, key, ...each]);
}

export function transactionsOf(lookup: Lookup): Specifications {
  const keysOf = (name: string, args: readonly string[]): readonly string[] =>
    queuedIn([name, ...args]).flatMap((command) => lookup(command).keys ?? []);
  return {
    multi: {
      keys: (args) => keysOf('multi', args),
      write: true,
      choices: (_, args, observed) => refusals(args, observed),
      run: (draft, args) => runAll(lookup, draft, queuedIn(['multi', ...args])),
    },
    watch: {
      keys: (args) => [argument(args, 0), ...keysOf('watch', args)],
      write: true,
      choices,
      run: (draft, [how = '', key = '', ...texts]) => {
        const content = draft.get(key)?.content;
        const present = content?.type === 'string' ? content.text : null;
        const results = how === FAILED ? null : runAll(lookup, draft, queuedIn(['watch', key, ...texts]));
        return (observed) => {
          const [seen = null, executed = null] = observed as readonly Reply[];
          return (
            (how !== HELD || seen === present) && (results === null ? executed === null : matches(results, executed))
          );
        };
      },
    },
  };
}
