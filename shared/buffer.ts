/**
 * What Node's Buffer has and its type definitions leave out: conversions that skip the look-up of the encoding's
 * name. They are on the path of every key.
 */
export {};

declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> extends Uint8Array<TArrayBuffer> {
    latin1Slice(start?: number, end?: number): string;
    /** Returns the bytes written. */
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}
