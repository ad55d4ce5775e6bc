/**
 * Histories from a seed: clients with overlapping operations on one keyspace, with true replies, of which some are
 * then made unknown, refused or wrong. And the slow way to judge them: every order there is.
 */
import { isError, type Operation, type Reply } from '../../checking/history.js';
import { outcomes, prepare, type Prepared } from '../../checking/models/index.js';
import { type Draft, type Expected, type Keyspace, ModelError } from '../../checking/models/keyspace.js';

export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

export interface Shape {
  readonly operations: number;
  readonly clients: number;
  /** Probability that an operation's outcome stays unknown. */
  readonly unknown: number;
  readonly draw: (random: () => number, turn: number) => string[];
}

/** A linearizable history: every operation takes effect at a random time between its call and its return. */
export function randomHistory(random: () => number, shape: Shape): Operation[] {
  const freeAt = Array.from({ length: shape.clients }, () => random() * 5);
  const generation = Array.from({ length: shape.clients }, () => 0);
  const calls = Array.from({ length: shape.operations }, (_, turn) => {
    const client = freeAt.indexOf(Math.min(...freeAt));
    const callMs = freeAt[client]!;
    const returnMs = callMs + 1 + random() * 10;
    const name = `c${client}.${generation[client]!}`;
    const unknown = random() < shape.unknown;
    // Half of the clients go on with the same connection, the others take a new one.
    if (unknown && client % 2 === 0) generation[client] = generation[client]! + 1;
    freeAt[client] = returnMs + random() * 3;
    const effectMs = callMs + random() * (returnMs - callMs);
    return {
      client: name,
      command: shape.draw(random, turn),
      callMs,
      returnMs,
      unknown,
      effectMs,
      lost: random() < 0.5,
    };
  });
  const replies = new Map<(typeof calls)[number], Reply>();
  let keyspace: Keyspace = new Map();
  for (const call of calls.toSorted((a, b) => a.effectMs - b.effectMs)) {
    if (call.unknown && call.lost) continue;
    const { after, reply } = execute(keyspace, call.command);
    keyspace = after;
    replies.set(call, reply);
  }
  return calls
    .toSorted((a, b) => a.callMs - b.callMs)
    .map((call, id): Operation => {
      const { client, command, callMs, returnMs, unknown } = call;
      if (unknown) return { id, client, command, callMs, returnMs: Infinity, outcome: 'unknown', reply: null };
      return { id, client, command, callMs, returnMs, outcome: 'ok', reply: replies.get(call) ?? null };
    });
}

/** One command on the model alone; its reply is read off the specification. */
function execute(keyspace: Keyspace, command: readonly string[]): { after: Keyspace; reply: Reply } {
  let reply: Reply = null;
  const spy: Prepared = prepare({
    id: 0,
    client: '',
    command,
    callMs: 0,
    returnMs: 0,
    outcome: 'unknown',
    reply: null,
  });
  const { specification } = spy;
  const [after] = outcomes(
    keyspace,
    {
      ...spy,
      specification: {
        ...specification,
        run: (draft, args) => {
          const expected = expectation(() => specification.run(draft, args));
          reply = typeof expected === 'function' ? contentOf(draft, args, expected) : expected;
          if (isError(reply)) throw new ModelError(reply.error);
          return expected;
        },
      },
    },
    0,
  );
  return { after: after ?? keyspace, reply };
}

function expectation(run: () => Expected): Expected {
  try {
    return run();
  } catch (error) {
    if (error instanceof ModelError) return { error: error.message };
    throw error;
  }
}

/** For a reply in any order: the content as it is kept. */
function contentOf(draft: Draft, [key = '']: readonly string[], fits: (reply: Reply) => boolean): Reply {
  const content = draft.get(key)?.content;
  const replies: Reply[] = [[]];
  if (content?.type === 'set') replies.push([...content.members]);
  if (content?.type === 'hash') replies.push([...content.fields].flat());
  const reply = replies.find(fits);
  if (reply === undefined) throw new Error(`no reply fits for ${key}`);
  return reply;
}

/** Gives one operation a reply that another of its kind got, or a number one off. */
export function corrupt(random: () => number, history: readonly Operation[]): Operation[] {
  const answered = history.filter(({ outcome }) => outcome === 'ok');
  const victim = pick(random, answered);
  if (victim === undefined) return [...history];
  const replies = answered.filter(({ command }) => command[0] === victim.command[0]).map(({ reply }) => reply);
  const reply = typeof victim.reply === 'number' ? victim.reply + 1 : pick(random, replies);
  return history.map((operation) => (operation === victim ? { ...operation, reply } : operation));
}

/** Tries every order. */
export function linearizableByBruteForce(history: readonly Operation[], clockSkewMs = 0): boolean {
  const all = history.filter(({ outcome }) => outcome !== 'refused').map(prepare);
  const place = (keyspace: Keyspace, left: readonly Prepared[], placed: readonly Prepared[]): boolean => {
    if (left.every(({ reply }) => reply === undefined)) return true;
    return left.some((next) => {
      const { operation } = next;
      const overtakes = left.some(
        (other) =>
          other.reply !== undefined &&
          other !== next &&
          (other.operation.returnMs < operation.callMs ||
            (other.operation.client === operation.client && other.operation.id < operation.id)),
      );
      const tooLate = placed.some(
        (other) => other.operation.client === operation.client && other.operation.id > operation.id,
      );
      if (overtakes || tooLate) return false;
      const rest = left.filter((other) => other !== next);
      return outcomes(keyspace, next, clockSkewMs).some((after) => place(after, rest, [...placed, next]));
    });
  };
  return place(new Map(), all, []);
}
