/** One round of the differential test: the same commands to two servers, until a reply differs. */
import { RawConnection } from '../../unit/rows/raw-connection.js';
import { isStep, kinds, unsorted, type Words } from './commands.js';
import { comparable, parseReply, show, type Tree } from './replies.js';

/** Commands on their way at a time. */
const depth = 64;
/** What a report tells of the commands before the one that differs. */
const told = 12;

export interface Difference {
  readonly seed: number;
  readonly kind: string;
  readonly resp: 2 | 3;
  readonly words: Words;
  /** The last commands before it that name one of its keys, oldest first. */
  readonly before: readonly Words[];
  readonly ours: string;
  readonly theirs: string;
}

/** What a round of that seed is: the seed says all of it, so that a difference can be seen again. */
export function roundOf(seed: number): { kind: string; resp: 2 | 3 } {
  const names = Object.keys(kinds);
  return { kind: names[seed % names.length]!, resp: Math.floor(seed / names.length) % 2 === 0 ? 2 : 3 };
}

interface Side {
  readonly port: number;
}

/** Null: all replies were equal. `done` is told how many were compared. */
export async function runRound(
  ours: Side,
  theirs: Side,
  seed: number,
  count: number,
  done: (commands: number) => void,
): Promise<Difference | null> {
  const { kind, resp } = roundOf(seed);
  const lines = kinds[kind]!(seed, count).slice(0, count);
  const pair = [await RawConnection.open(ours.port), await RawConnection.open(theirs.port)] as const;
  const transaction = new Transaction();
  const sorts = !unsorted.has(kind);
  try {
    for (const connection of pair) {
      await connection.send(['HELLO', String(resp)]);
      await connection.send(['FLUSHALL']);
    }
    for (let at = 0; at < lines.length; ) {
      const end = endOfBatch(lines, at);
      const batch = lines.slice(at, end);
      const step = batch[0]!;
      const replies = isStep(step)
        ? [await takeStep(pair, step)]
        : await Promise.all(batch.map(async (words) => Promise.all(pair.map((each) => each.send(words)))));
      for (const [i, reply] of replies.entries()) {
        const words = batch[i]!;
        const [mine, other] = reply.map(parseReply);
        const queued = transaction.next(words, other!);
        const [a, b] = [mine!, other!].map((tree) =>
          queued === null ? comparable(words, tree, sorts) : ofAll(queued, tree, sorts),
        );
        if (a === b || isLeftBehind(words, b!, lines.slice(0, at + i))) continue;
        const before = lines
          .slice(0, at + i)
          .filter((each) => each.some((word, n) => n > 0 && words.slice(1).includes(word)));
        return { seed, kind, resp, words, before: before.slice(-told), ours: a!, theirs: b! };
      }
      done(batch.length);
      at = end;
    }
    return null;
  } finally {
    for (const connection of pair) connection.close();
  }
}

const NOT_A_SCORE = "-ERR One or more scores can't be converted into double";
/** Too small for a double: C's strtod leaves ERANGE in errno. */
const TINY = '4.9e-324';

/**
 * Redis's SORT looks at errno without having cleared it: after a command whose number was out of range it takes its own
 * numbers for wrong, whatever they are (`ZRANGEBYSCORE none 5 4.9e-324`, then `SORT` of a list of 3).
 */
function isLeftBehind(words: Words, theirs: string, earlier: readonly Words[]): boolean {
  return /^sort/i.test(words[0] ?? '') && theirs === NOT_A_SCORE && earlier.some((each) => each.includes(TINY));
}

/** Steps go alone. */
function endOfBatch(lines: readonly Words[], from: number): number {
  if (isStep(lines[from]!)) return from + 1;
  let end = from + 1;
  while (end < lines.length && end - from < depth && !isStep(lines[end]!)) end++;
  return end;
}

/** Knows which commands an EXEC answers. */
class Transaction {
  #queued: Words[] | null = null;

  /** The commands whose replies are in the reply to `words`, null when it is a reply to itself. */
  next(words: Words, reply: Tree): readonly Words[] | null {
    const name = words[0]?.toUpperCase();
    if (name === 'MULTI' && reply.kind === '+') this.#queued = [];
    else if (name === 'EXEC' || name === 'DISCARD') {
      const queued = this.#queued;
      this.#queued = null;
      return name === 'EXEC' && reply.items.length > 0 ? queued : null;
    } else if (reply.text === 'QUEUED') this.#queued?.push(words);
    return null;
  }
}

function ofAll(commands: readonly Words[], tree: Tree, sorts: boolean): string {
  return tree.items.map((item, i) => comparable(commands[i] ?? [], item, sorts)).join('\n');
}

async function takeStep(pair: readonly [RawConnection, RawConnection], step: Words): Promise<[string, string]> {
  if (step[0] === 'TRANSFER') return transfer(pair, step[1]!, step[2]!);
  const [ours, theirs] = await Promise.all(pair.map((connection) => walk(connection, step.slice(1))));
  return [ours!, theirs!];
}

/** Each restores what the other has dumped. */
async function transfer(
  pair: readonly [RawConnection, RawConnection],
  key: string,
  to: string,
): Promise<[string, string]> {
  const dumps = await Promise.all(pair.map((connection) => connection.send(['DUMP', key])));
  const payloads = dumps.map((dump) => (dump.startsWith('$') && !dump.startsWith('$-') ? bytesOf(dump) : null));
  const [mine, other] = payloads;
  if (mine === null || other === null || mine === undefined || other === undefined) return [dumps[0]!, dumps[1]!];
  const restored = (payload: Buffer, connection: RawConnection): Promise<string> =>
    connection.send(['RESTORE', to, '0', payload, 'REPLACE']);
  return Promise.all([restored(other, pair[0]), restored(mine, pair[1])]);
}

function bytesOf(bulk: string): Buffer {
  return Buffer.from(bulk.slice(bulk.indexOf('\r\n') + 2, -2), 'latin1');
}

/** All elements that the steps of a walk tell, each once and sorted; or what it is refused with. */
async function walk(connection: RawConnection, words: Words): Promise<string> {
  const [name = '', ...rest] = words;
  const isScan = name === 'SCAN';
  const [key, options] = isScan ? [[], rest] : [rest.slice(0, 1), rest.slice(1)];
  const found = new Set<string>();
  for (let cursor = '0'; ; ) {
    const text = await connection.send([name, ...key, cursor, ...options]);
    const reply = parseReply(text);
    const [next, page] = reply.items;
    if (next === undefined || page === undefined) return text;
    const paired = name === 'HSCAN' || name === 'ZSCAN';
    page.items.forEach((item, i) => {
      if (!paired) found.add(show(item));
      else if (i % 2 === 0) found.add(`${show(item)} ${show(page.items[i + 1] ?? item)}`);
    });
    cursor = next.text.slice(1, -1);
    if (cursor === '0') break;
  }
  return `+${[...found].sort().join(' ').replaceAll('\r\n', '  ')}\r\n`;
}
