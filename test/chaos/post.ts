/**
 * How the crews talk to a client of the load: a few commands in one write, with what became of them. What a client gets
 * besides successes is noted, as for all of the load.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadClient } from './clients.js';
import { ErrorReply, type Reply } from './connection.js';
import type { Gaps } from './gaps.js';
import { outcomeOf } from './groups.js';

/** What all crews add to. */
export interface Tally {
  readonly gaps: Gaps;
  operations: number;
  acknowledged: number;
}

export type Answer = Reply | undefined;

const AGAIN_MS = 50;
const ATTEMPTS_MAX = 1_200;

export class Post {
  private readonly client: LoadClient;
  private readonly tally: Tally;

  constructor(client: LoadClient, tally: Tally) {
    this.client = client;
    this.tally = tally;
  }

  /** Another one, after a connection was lost. */
  get connection(): string {
    return this.client.name;
  }

  /** False: the client was closed. */
  ready(): Promise<boolean> {
    return this.client.untilConnected();
  }

  close(): void {
    this.client.close();
  }

  /** One write; the replies in order. */
  all(...commands: readonly (readonly string[])[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    let left = commands.length;
    this.tally.operations += commands.length;
    return new Promise((resolve) => {
      this.client.pipeline(commands, (index, reply) => {
        answers[index] = reply;
        this.note(reply);
        if (--left === 0) resolve(answers);
      });
    });
  }

  async ask(...words: readonly string[]): Promise<Answer> {
    const [answer] = await this.all(words);
    return answer;
  }

  /** Again and again until it is answered: for what may happen more than once, such as reads. */
  async insist(...words: readonly string[]): Promise<Reply> {
    let last: Answer;
    for (let attempt = 0; attempt < ATTEMPTS_MAX && (await this.ready()); attempt++) {
      last = await this.ask(...words);
      if (last !== undefined && outcomeOf(last) === 'ok') return last;
      await delay(AGAIN_MS);
    }
    throw new Error(`${words.join(' ')} was never answered; the last reply: ${JSON.stringify(last)}`);
  }

  private note(reply: Answer): void {
    if (outcomeOf(reply) === 'ok') this.tally.acknowledged++;
    else if (reply instanceof ErrorReply)
      this.tally.gaps.trouble(reply.text.startsWith('UNKNOWN ') ? 'UNKNOWN' : 'refused', reply.text);
    else this.tally.gaps.trouble('connection lost', 'the connection was lost');
  }
}

/** An array of texts; what is none was never sent by Redis, and ends the run. */
export function texts(reply: Answer): string[] {
  if (!Array.isArray(reply) || !reply.every((each) => typeof each === 'string'))
    throw new Error(`not an array of texts: ${JSON.stringify(reply)}`);
  return reply as string[];
}

export function array(reply: Answer): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error(`not an array: ${JSON.stringify(reply)}`);
  return reply;
}
