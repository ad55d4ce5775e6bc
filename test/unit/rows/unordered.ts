/** Replies whose order is chance, brought into one order, so that they can be compared. */
const unorderedCommands = new Set([
  'SMEMBERS',
  'SINTER',
  'SUNION',
  'SDIFF',
  'SPOP',
  'SRANDMEMBER',
  'SSCAN',
  'HKEYS',
  'HVALS',
  'HRANDFIELD',
  'HSCAN',
  'HGETALL',
  'ZRANDMEMBER',
  'ZSCAN',
]);
/** Of these, two and two belong together. */
const inPairs = new Set(['HGETALL', 'HSCAN', 'ZSCAN']);

export function isUnordered(words: readonly string[]): boolean {
  return unorderedCommands.has(words[0]?.toUpperCase() ?? '');
}

/** The RESP text of a reply to `words`; of sets and hashes the members are sorted. */
export function ordered(words: readonly string[], reply: string): string {
  if (!isUnordered(words)) return reply;
  const name = words[0]?.toUpperCase() ?? '';
  // What is in front of the innermost array stays, its bulk strings follow in one order.
  const match = /^((?:\*2\r\n\$\d+\r\n\d+\r\n)?[*~%]\d+\r\n)([^]*)$/.exec(reply);
  const [, head, items] = match ?? [];
  if (head === undefined || items === undefined) return reply;
  const each = items.split(/(?=\*2\r\n|(?<!\*2\r\n)\$-?\d+\r\n)/);
  const paired = inPairs.has(name)
    ? each.flatMap((item, i) => (i % 2 === 0 ? [item + (each[i + 1] ?? '')] : []))
    : each;
  return head + paired.sort().join('');
}
