/**
 * Clients that work together, beside the load whose histories are checked: they hand tokens to each other through lists,
 * sorted sets and streams, and move amounts between accounts in transactions. What no search through histories could
 * show over so many commands that wait, sums and unique tokens do: nothing is lost, doubled or half done.
 *
 * A crew works in rounds on keys of their own. A round ends when all that was handed in came out or was counted.
 */
import { commands as known } from '../../shared/commands/index.js';
import { eventually } from '../cluster/condition.js';
import type { LoadClient } from './clients.js';
import { Tags } from './groups.js';
import { handover, styles } from './handovers.js';
import { Post, type Tally } from './post.js';
import type { Random } from './random.js';
import { streamRound } from './stream-crew.js';
import { transfers } from './transfers.js';

/** What one round works with. */
export interface CrewRound {
  /** All its keys carry it. */
  readonly tag: string;
  readonly posts: readonly Post[];
  readonly random: Random;
  /** The mean pause of a client, in ms. */
  readonly pauseMs: number;
  /** How many each of those who hand in hands in. */
  readonly tokens: number;
  /** The run ends: hand nothing more in. */
  isOver(): boolean;
}

interface Crew {
  readonly name: string;
  readonly needs: readonly string[];
  readonly size: number;
  /** Returns what is wrong. */
  readonly round: (round: CrewRound) => Promise<string[]>;
}

const crews: readonly Crew[] = [
  ...styles.map((style) => ({
    name: style.needs[0] ?? '',
    needs: style.needs,
    size: 4,
    round: (round: CrewRound) => handover(style, round),
  })),
  { name: 'stream', needs: ['xadd', 'xreadgroup', 'xautoclaim'], size: 5, round: streamRound },
  { name: 'transfers', needs: ['multi', 'watch'], size: 3, round: transfers },
];

const TOKENS = [20, 120] as const;
const STOP_MS = 120_000;

export interface CrewOptions {
  /** Slots of each partition: every partition has a crew of each kind. */
  readonly partitions: readonly (readonly [from: number, to: number])[];
  readonly pauseMs: number;
  readonly newClient: (name: string) => LoadClient;
}

export class Crews {
  readonly violations: string[] = [];
  rounds = 0;
  private readonly options: CrewOptions;
  private readonly tally: Tally;
  private readonly tags = new Tags('c');
  private readonly posts: Post[] = [];
  private readonly working: Promise<unknown>;
  private running = true;

  constructor(options: CrewOptions, tally: Tally, random: Random) {
    this.options = options;
    this.tally = tally;
    const present = crews.filter(({ needs }) => needs.every((name) => known.has(name)));
    this.working = Promise.all(
      options.partitions.flatMap((slots, partition) =>
        present.map((crew) => this.work(crew, `${crew.name}${partition}`, slots, random.fork())),
      ),
    );
  }

  /** Lets every round come to its end. */
  async stop(): Promise<void> {
    this.running = false;
    let ended = false;
    void this.working.then(() => (ended = true));
    await eventually('the crews end', () => ended || undefined, STOP_MS);
  }

  close(): void {
    for (const post of this.posts) post.close();
  }

  /** Never rejects: what fails is a violation like any other. */
  private async work(crew: Crew, name: string, slots: readonly [number, number], random: Random): Promise<void> {
    const posts = Array.from(
      { length: crew.size },
      (_, at) => new Post(this.options.newClient(`${name}.${at}`), this.tally),
    );
    this.posts.push(...posts);
    while (this.running) {
      const tag = this.tags.next(slots);
      try {
        const wrong = await crew.round({
          tag,
          posts,
          random,
          pauseMs: this.options.pauseMs,
          tokens: random.between(...TOKENS),
          isOver: () => !this.running,
        });
        this.rounds++;
        this.violations.push(...wrong.map((text) => `${name}, keys of {${tag}}: ${text}`));
      } catch (error) {
        this.violations.push(`${name}, keys of {${tag}}: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
    }
  }
}
