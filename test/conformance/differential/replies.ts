/**
 * Replies of two servers made comparable: read into trees, what Redis leaves to chance (the order of sets, clocks)
 * brought into one form, everything else kept byte for byte.
 */

/** The kind is RESP's first character. */
export interface Tree {
  readonly kind: string;
  /** Of simple kinds the line; of bulk strings their bytes as latin1. */
  readonly text: string;
  readonly items: readonly Tree[];
}

export function parseReply(text: string): Tree {
  return parseAt(text, 0).tree;
}

function parseAt(text: string, at: number): { tree: Tree; end: number } {
  const line = text.indexOf('\r\n', at);
  const kind = text[at] ?? '';
  const head = text.slice(at + 1, line);
  let end = line + 2;
  if ('$='.includes(kind)) {
    const length = Number(head);
    if (length < 0) return { tree: { kind, text: 'null', items: [] }, end };
    return { tree: { kind, text: `"${text.slice(end, end + length)}"`, items: [] }, end: end + length + 2 };
  }
  if (!'*%~>'.includes(kind) || head === '-1') return { tree: { kind, text: head, items: [] }, end };
  const items: Tree[] = [];
  const count = kind === '%' ? 2 * Number(head) : Number(head);
  for (let i = 0; i < count; i++) {
    const item = parseAt(text, end);
    items.push(item.tree);
    ({ end } = item);
  }
  return { tree: { kind, text: '', items }, end };
}

export function show(tree: Tree): string {
  return tree.items.length === 0 ? `${tree.kind}${tree.text}` : `${tree.kind}[${tree.items.map(show).join(' ')}]`;
}

const unordered = new Set(
  'SMEMBERS SINTER SUNION SDIFF SPOP SRANDMEMBER HKEYS HVALS HRANDFIELD ZRANDMEMBER KEYS'.split(' '),
);
/** Times that are told relative to now, or were set relative to now: so much may lie between the two servers' clocks. */
const clocks: Readonly<Record<string, number>> = { TTL: 2, PTTL: 2_000, EXPIRETIME: 2, PEXPIRETIME: 2_000 };

/**
 * A tree's text in the form in which two servers' answers to `words` are compared. `sorts`: there are SORTs among the
 * commands, each of which makes a skiplist of a sorted set in Redis, though it only reads it.
 */
export function comparable(words: readonly string[], tree: Tree, sorts: boolean): string {
  const name = words[0]?.toUpperCase() ?? '';
  if (sorts && name === 'OBJECT' && tree.text === '"skiplist"') return '$"listpack"';
  if (name === 'HGETALL' || ((name === 'HRANDFIELD' || name === 'ZRANDMEMBER') && words.length > 3))
    return inPairs(tree);
  if (unordered.has(name)) return `${tree.kind}${tree.text}[${tree.items.map(show).sort().join(' ')}]`;
  const clock = clocks[name];
  if (clock !== undefined && tree.kind === ':' && Number(tree.text) > 0) {
    return `:about ${Math.round(Number(tree.text) / (clock * 1_000))}`;
  }
  if (name === 'XPENDING' || name === 'XINFO') return show(withoutIdleTimes(tree));
  return show(tree);
}

function inPairs(tree: Tree): string {
  const flat = tree.items.every(({ items }) => items.length === 0);
  const pairs = flat
    ? tree.items.flatMap((item, i) => (i % 2 === 0 ? [`${show(item)}=${show(tree.items[i + 1] ?? item)}`] : []))
    : tree.items.map(show);
  return `${tree.kind}${tree.text}[${pairs.sort().join(' ')}]`;
}

/** Of what is pending: how long ago. */
function withoutIdleTimes(tree: Tree): Tree {
  const { items } = tree;
  const time: Tree = { kind: ':', text: 'T', items: [] };
  const isPending = items.length === 4 && items[0]?.kind === '$' && items[1]?.kind === '$' && items[2]?.kind === ':';
  const isOwned = items.length === 3 && items[0]?.kind === '$' && items[1]?.kind === ':' && items[2]?.kind === ':';
  const told = items.map((item, i) => {
    if (isPending && i === 2) return time;
    if (isOwned && i === 1) return time;
    const label = items[i - 1]?.text;
    return label === '"idle"' || label === '"seen-time"' ? time : withoutIdleTimes(item);
  });
  return { ...tree, items: told };
}
