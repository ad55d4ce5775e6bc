/**
 * Tokens that go from hand to hand through a list or a sorted set: some clients put them in, others take them out, most
 * of these waiting for them (BLPOP and its kin), through whatever happens to the servers meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Reply } from './connection.js';
import type { CrewRound } from './crews.js';
import { outcomeOf } from './groups.js';
import { Ledger } from './ledger.js';
import { type Answer, array, texts } from './post.js';
import type { Random } from './random.js';

interface TakeOut {
  readonly words: (key: string, wait: string) => readonly string[];
  /** At most. */
  readonly tokens: number;
  readonly of: (reply: readonly Reply[]) => string[];
}

interface Style {
  readonly needs: readonly string[];
  readonly putIn: readonly ((key: string, tokens: readonly string[], random: Random) => readonly string[])[];
  readonly takeOut: readonly TakeOut[];
  readonly rest: (key: string) => readonly string[];
  /** One reader gets what one writer put in, in that order. */
  readonly inOrder?: true;
}

const second = (reply: readonly Reply[]): string[] => texts(reply.slice(1, 2));
const seconds = (reply: readonly Reply[]): string[] => texts(reply[1]);
const scored = (reply: readonly Reply[]): string[] => array(reply[1]).map((pair) => texts(pair)[0] ?? '');
const wholeList = (key: string): readonly string[] => ['LRANGE', key, '0', '-1'];

export const styles: readonly Style[] = [
  {
    needs: ['blpop'],
    putIn: [(key, tokens) => ['RPUSH', key, ...tokens]],
    takeOut: [{ words: (key, wait) => ['BLPOP', key, wait], tokens: 1, of: second }],
    rest: wholeList,
    inOrder: true,
  },
  {
    needs: ['blpop', 'brpop', 'blmpop', 'lmpop'],
    putIn: [(key, tokens) => ['RPUSH', key, ...tokens], (key, tokens) => ['LPUSH', key, ...tokens]],
    takeOut: [
      { words: (key, wait) => ['BLPOP', key, wait], tokens: 1, of: second },
      { words: (key, wait) => ['BRPOP', `${key}:empty`, key, wait], tokens: 1, of: second },
      { words: (key, wait) => ['BLMPOP', wait, '1', key, 'RIGHT', 'COUNT', '3'], tokens: 3, of: seconds },
      { words: (key) => ['LMPOP', '1', key, 'LEFT', 'COUNT', '2'], tokens: 2, of: seconds },
    ],
    rest: wholeList,
  },
  {
    needs: ['bzpopmin', 'bzpopmax', 'bzmpop', 'zmpop'],
    putIn: [
      (key, tokens, random) => ['ZADD', key, ...tokens.flatMap((token) => [String(random.between(1, 9)), token])],
    ],
    takeOut: [
      { words: (key, wait) => ['BZPOPMIN', key, wait], tokens: 1, of: second },
      { words: (key, wait) => ['BZPOPMAX', `${key}:empty`, key, wait], tokens: 1, of: second },
      { words: (key, wait) => ['BZMPOP', wait, '1', key, 'MIN', 'COUNT', '3'], tokens: 3, of: scored },
      { words: (key) => ['ZMPOP', '1', key, 'MAX', 'COUNT', '2'], tokens: 2, of: scored },
    ],
    rest: (key) => ['ZRANGE', key, '0', '-1'],
  },
];

const TOKENS_AT_ONCE = 3;
/** Of a wait for tokens, in seconds. */
const WAITS = ['0.05', '0.3', '1', '2'] as const;
const PUTTERS = 2;

export async function handover(
  style: Style,
  { tag, posts, random, pauseMs, tokens, isOver }: CrewRound,
): Promise<string[]> {
  const key = `{${tag}}`;
  const ledger = new Ledger();
  const complaints: string[] = [];
  let putting = PUTTERS;
  const put = async (at: number): Promise<void> => {
    const post = posts[at]!;
    for (let number = 0; number < tokens && !isOver(); ) {
      if (!(await post.ready())) break;
      const some = Array.from({ length: random.between(1, TOKENS_AT_ONCE) }, () => `${tag}.${at}.${number++}`);
      for (const token of some) ledger.handIn(token);
      const outcome = outcomeOf(await post.ask(...random.pick(style.putIn)(key, some, random)));
      for (const token of some) ledger.answered(token, outcome);
      await delay(random.next() * 2 * pauseMs);
    }
    putting--;
  };
  const take = async (at: number): Promise<void> => {
    const post = posts[at]!;
    /** The last number taken of each writer. */
    const last = new Map<string, number>();
    for (;;) {
      if (!(await post.ready())) return;
      const way = random.pick(style.takeOut);
      const over = putting === 0;
      const answer: Answer = await post.ask(...way.words(key, random.pick(WAITS)));
      if (outcomeOf(answer) === 'unknown') ledger.lostReply(way.tokens);
      else if (answer === null && over) return;
      else if (Array.isArray(answer)) {
        for (const token of way.of(answer)) {
          ledger.take(token, post.connection);
          const [, writer = '', number = ''] = token.split('.');
          if (style.inOrder && ledger.isAcknowledged(token)) {
            if (Number(number) < (last.get(writer) ?? -1))
              complaints.push(`${post.connection} took ${token} after ${last.get(writer)}`);
            last.set(writer, Number(number));
          }
        }
      }
    }
  };
  await Promise.all(posts.map((_, at) => (at < PUTTERS ? put(at) : take(at))));
  const [post] = posts;
  complaints.push(...ledger.settle(texts(await post!.insist(...style.rest(key)))));
  await post!.ask('DEL', key);
  return complaints;
}
