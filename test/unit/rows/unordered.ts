/** Replies whose order is chance, brought into one order, so that they can be compared. */
const unorderedCommands = new Set(['SMEMBERS', 'SINTER', 'SUNION', 'SDIFF', 'SPOP', 'SRANDMEMBER', 'SSCAN']);

export function isUnordered(words: readonly string[]): boolean {
  return unorderedCommands.has(words[0]?.toUpperCase() ?? '');
}

/** The RESP text of a reply to `words`; of sets the members are sorted. */
export function ordered(words: readonly string[], reply: string): string {
  if (!isUnordered(words)) return reply;
  // What is in front of the innermost array stays, its bulk strings follow in one order.
  const match = /^((?:\*2\r\n\$\d+\r\n\d+\r\n)?[*~]\d+\r\n)([^]*)$/.exec(reply);
  const [, head, items] = match ?? [];
  if (head === undefined || items === undefined) return reply;
  return (
    head +
    items
      .split(/(?=\$-?\d+\r\n)/)
      .sort()
      .join('')
  );
}
