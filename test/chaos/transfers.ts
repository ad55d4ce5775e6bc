/**
 * Amounts that move between two accounts in transactions, each with a line in a journal: whoever looks in between sees
 * them add up, and at the end the accounts say what the journal says. Beside it a counter that is raised under WATCH:
 * an increment that did not see another one before it would be lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { commands as known } from '../../shared/commands/index.js';
import type { Outcome } from '../checking/history.js';
import { ErrorReply } from './connection.js';
import type { CrewRound } from './crews.js';
import { outcomeOf } from './groups.js';
import { Ledger } from './ledger.js';
import { type Answer, array, type Post, texts } from './post.js';

const AMOUNT_MAX = 9;
const SCRIPT =
  "redis.call('DECRBY', KEYS[1], ARGV[1]); redis.call('INCRBY', KEYS[2], ARGV[1]); return redis.call('RPUSH', KEYS[3], ARGV[2])";
const numberOf = (reply: Answer): number => Number(reply ?? 0);

export async function transfers({ tag, posts, random, pauseMs, tokens, isOver }: CrewRound): Promise<string[]> {
  const [from, to, journal, watched] = ['from', 'to', 'journal', 'watched'].map((name) => `{${tag}}:${name}`) as [
    string,
    string,
    string,
    string,
  ];
  const ledger = new Ledger();
  const complaints: string[] = [];
  const raised = { acknowledged: 0, unknown: 0 };

  const transfer = async (post: Post, number: string): Promise<void> => {
    const amount = String(random.between(1, AMOUNT_MAX));
    const token = `${number}:${amount}`;
    ledger.handIn(token);
    if (known.has('eval') && random.chance(0.5)) {
      ledger.answered(token, outcomeOf(await post.ask('EVAL', SCRIPT, '3', from, to, journal, amount, token)));
      return;
    }
    const moved = await transaction(post, ['DECRBY', from, amount], ['INCRBY', to, amount], ['RPUSH', journal, token]);
    ledger.answered(token, moved.outcome);
  };
  const look = async (post: Post): Promise<void> => {
    const { outcome, replies } = await transaction(post, ['GET', from], ['GET', to]);
    if (outcome === 'ok' && numberOf(replies[0]) + numberOf(replies[1]) !== 0)
      complaints.push(`a transaction read ${JSON.stringify(replies)}, which do not add up`);
  };
  const raise = async (post: Post): Promise<void> => {
    const [watching, value] = await post.all(['WATCH', watched], ['GET', watched]);
    const { connection } = post;
    const seen = watching === 'OK' && (value === null || typeof value === 'string');
    // another connection watches nothing
    if (!seen || !(await post.ready()) || post.connection !== connection) return void (await post.ask('UNWATCH'));
    const { outcome } = await transaction(post, ['SET', watched, String(numberOf(value) + 1)]);
    if (outcome === 'ok') raised.acknowledged++;
    else if (outcome === 'unknown') raised.unknown++;
  };
  const work = async (at: number): Promise<void> => {
    const post = posts[at]!;
    for (let number = 0; number < tokens && !isOver() && (await post.ready()); number++) {
      await transfer(post, `${tag}.${at}.${number}`);
      await look(post);
      await raise(post);
      await delay(random.next() * 2 * pauseMs);
    }
  };
  await Promise.all(posts.map((_, at) => work(at)));

  const post = posts[0]!;
  const written = texts(await post.insist('LRANGE', journal, '0', '-1'));
  complaints.push(...ledger.settle(written));
  const sum = written.reduce((total, token) => total + Number(token.split(':')[1]), 0);
  const [paid, got, counter] = array(await post.insist('MGET', from, to, watched)).map(numberOf);
  if (got !== sum || paid !== -sum)
    complaints.push(`the journal adds up to ${sum}, the accounts are at ${paid} and ${got}`);
  if (counter! < raised.acknowledged || counter! > raised.acknowledged + raised.unknown)
    complaints.push(
      `what was raised under WATCH is ${counter}; ${raised.acknowledged} times it was acknowledged, ${raised.unknown} are of unknown outcome`,
    );
  await post.ask('DEL', from, to, journal, watched);
  return complaints;
}

/** All in one write. Nothing of it was done when it is `refused`, also by what was watched. */
async function transaction(
  post: Post,
  ...commands: readonly (readonly string[])[]
): Promise<{ readonly outcome: Outcome; readonly replies: readonly Answer[] }> {
  const executed = (await post.all(['MULTI'], ...commands, ['EXEC'])).at(-1);
  if (executed === null) return { outcome: 'refused', replies: [] };
  if (Array.isArray(executed)) return { outcome: 'ok', replies: executed };
  const outcome = outcomeOf(executed);
  if (outcome !== 'ok') return { outcome, replies: [] };
  if (executed instanceof ErrorReply && executed.text.startsWith('EXECABORT '))
    return { outcome: 'refused', replies: [] };
  throw new Error(`EXEC was answered with ${JSON.stringify(executed)}`);
}
