/**
 * A sorted map of byte strings (latin1, one character a byte) with O(1) copies: the copy and the original share
 * their contents until one of them is written to. A sorted array does for the sizes of tests and simulations.
 */
export class SortedEntries {
  #keys: string[];
  #values: Map<string, Buffer>;
  #shared = false;

  constructor(keys: string[] = [], values: Map<string, Buffer> = new Map()) {
    this.#keys = keys;
    this.#values = values;
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): Buffer | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Buffer): void {
    this.#own();
    if (!this.#values.has(key)) this.#keys.splice(this.#firstAt(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (!this.#values.has(key)) return;
    this.#own();
    this.#values.delete(key);
    this.#keys.splice(this.#firstAt(key), 1);
  }

  copy(): SortedEntries {
    const copy = new SortedEntries(this.#keys, this.#values);
    this.#shared = true;
    copy.#shared = true;
    return copy;
  }

  /** Entries from `gte` to before `lt`, in order or in reverse, for as long as `each` returns true. */
  walk(gte: string, lt: string, reverse: boolean, each: (key: string, value: Buffer) => boolean): void {
    const from = this.#firstAt(gte);
    const to = this.#firstAt(lt);
    for (let i = 0; i < to - from; i++) {
      const key = this.#keys[reverse ? to - 1 - i : from + i]!;
      if (!each(key, this.#values.get(key)!)) return;
    }
  }

  #own(): void {
    if (!this.#shared) return;
    this.#keys = this.#keys.slice();
    this.#values = new Map(this.#values);
    this.#shared = false;
  }

  /** Index of the first key that is not below `key`. */
  #firstAt(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
