/**
 * Operations: what servers execute. One enumeration serves Redis commands and the native client.
 * An operation is a msgpack array `[code, ...arguments]`; the first argument of an operation on rows
 * is the hash key. Codes are on the wire: explicit, never reused. The table of codes is codes.ts;
 * what each does is in server/rows.
 */
export type OperationArgument = Buffer | string | number | bigint | boolean | null | readonly OperationArgument[];

export type Operation = readonly [code: number, ...args: OperationArgument[]];

/** What an operation returns; msgpack. Integers beyond 2^53 are bigint. */
export type OperationResult = Buffer | string | number | bigint | boolean | null | readonly OperationResult[];
