/** On-disk numbers of a row's header. Explicit, never reused. */
export const RowType = { string: 1, list: 2, set: 3, zset: 4, hash: 5, stream: 6 } as const;
export type RowType = (typeof RowType)[keyof typeof RowType];

/** What OBJECT ENCODING says. */
export const Encoding = {
  raw: 1,
  int: 2,
  embstr: 3,
  listpack: 4,
  quicklist: 5,
  intset: 6,
  hashtable: 7,
  skiplist: 8,
  stream: 9,
  listpackex: 10,
} as const;
export type Encoding = (typeof Encoding)[keyof typeof Encoding];
