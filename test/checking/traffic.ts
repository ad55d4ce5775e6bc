/**
 * Commands for clients to send, of every kind that the checker has a model of: what a workload does, whoever runs it.
 *
 * Keys come in families that share a hash tag, so that commands on several of them are allowed in any table. A family
 * is of one kind, sees a few dozen commands and is then replaced: objects stay small enough to be checked exactly.
 * Values are unique tokens wherever that says more.
 */
import { kinds, type Draw, type Kind } from './traffic-kinds.js';

export interface TrafficOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** In front of every key. */
  readonly prefix?: string;
  /** Families in use at once. */
  readonly families: number;
  /** Commands that a family sees, from and to. */
  readonly commandsPerFamily: readonly [from: number, to: number];
  /** Whether a command exists. */
  readonly supported: (name: string) => boolean;
  /** How long commands wait at most, ms. */
  readonly waitMs?: number;
  /** How many of a thousand commands are FLUSHDB. */
  readonly flushesPerThousand?: number;
}

interface Family {
  readonly kind: Kind;
  readonly keys: readonly string[];
  readonly recent: string[];
  left: number;
}

const RECENT_TOKENS = 12;
const WAIT_MS = 1_500;
/** How many families end by being removed, so that the keyspace does not grow with the history. */
const REMOVED = 0.7;

export class Traffic {
  /** Every key that was ever named, and how it is read. */
  readonly keys = new Map<string, Kind>();
  private readonly options: TrafficOptions;
  private readonly kinds: readonly Kind[];
  private readonly families: Family[] = [];
  private familiesMade = 0;
  private tokens = 0;

  constructor(options: TrafficOptions) {
    this.options = options;
    this.kinds = kinds.filter(({ needs }) => needs.every(options.supported));
  }

  /** The next command for `client`. */
  next(client: string): string[] {
    const { random, flushesPerThousand = 0 } = this.options;
    if (flushesPerThousand > 0 && random() * 1000 < flushesPerThousand) return ['FLUSHDB'];
    const family = this.family();
    family.left -= 1;
    if (family.left === 0 && random() < REMOVED) return ['UNLINK', ...family.keys];
    const lines = family.kind.lines;
    return lines[Math.floor(random() * lines.length)]!(this.draw(client, family));
  }

  /** What reads a key completely, once nothing changes any more. */
  finalReads(): string[][] {
    // What may expire must not do so while the keys are counted.
    const lasting = [...this.keys].flatMap(([key, { name }]) => (name === 'expiry' ? [['PERSIST', key]] : []));
    return [
      ...lasting,
      ...[...this.keys].flatMap(([key, { final, mayBeEmpty }]) => [
        final(key),
        ...(mayBeEmpty === true ? [['EXISTS', key]] : []),
      ]),
    ];
  }

  private family(): Family {
    const { random, families, commandsPerFamily } = this.options;
    const at = Math.floor(random() * families);
    const present = this.families[at];
    if (present !== undefined && present.left > 0) return present;
    const kind = this.kinds[Math.floor(random() * this.kinds.length)]!;
    this.familiesMade += 1;
    const tag = `${this.options.prefix ?? ''}{${kind.name}-${this.familiesMade}}`;
    const [from, to] = commandsPerFamily;
    const fresh: Family = {
      kind,
      keys: Array.from({ length: kind.keys }, (_, index) => `${tag}${'abcd'[index]!}`),
      recent: [],
      left: from + Math.floor(random() * (to - from)),
    };
    for (const key of fresh.keys) this.keys.set(key, kind);
    this.families[at] = fresh;
    return fresh;
  }

  private draw(client: string, { keys, recent }: Family): Draw {
    const { random } = this.options;
    const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    const token = (): string => {
      this.tokens += 1;
      const made = `<${client}.${this.tokens}>`;
      recent.push(made);
      if (recent.length > RECENT_TOKENS) recent.shift();
      return made;
    };
    return {
      key: () => pick(keys),
      keys,
      token,
      tokens: (from, to) => Array.from({ length: int(from, to) }, token),
      known: () => (recent.length === 0 ? token() : pick(recent)),
      int: (from, to) => String(int(from, to)),
      seconds: () => (int(1, this.options.waitMs ?? WAIT_MS) / 1_000).toFixed(3),
      pick,
    };
  }
}
