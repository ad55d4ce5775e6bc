/**
 * The elements of a row that may be packed: the same calls whether they lie in its header, sorted, or each by itself.
 * What a type keeps beside them (its facts) comes first in the header's value, in a length that the type knows.
 *
 *   header value of a packed row: facts | (length varint, sort key, length varint, value) ...
 *   header value of a large row:  facts
 *
 * A packed row that has grown beyond the limits spills when it is finished, and stays large from then on.
 */
import { limits } from '../../shared/limits.js';
import type { Element, ElementRange, Row, RowChange, View } from '../execution/view.js';
import { pack, unpack } from './packed.js';

export class RowElements {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  /** In order; null when the row is large. */
  readonly #packed: Element[] | null;

  /** `row` null: there is none yet. */
  constructor(view: View, key: Buffer, row: Row | null, factBytes: number) {
    this.#view = view;
    this.#key = key;
    this.#row = row;
    if (row === null) this.#packed = [];
    else this.#packed = row.large ? null : unpack(row.value.subarray(factBytes));
  }

  get large(): boolean {
    return this.#packed === null;
  }

  /** Several that are looked up next. */
  expect(sortKeys: readonly Buffer[]): void {
    if (this.#packed === null) this.#view.expect(this.#key, this.#row!, sortKeys);
  }

  get(sortKey: Buffer): Buffer | null {
    if (this.#packed === null) return this.#view.element(this.#key, this.#row!, sortKey);
    const found = this.#packed[position(this.#packed, sortKey)];
    return found?.sortKey.equals(sortKey) === true ? found.value : null;
  }

  put(sortKey: Buffer, value: Buffer): void {
    if (this.#packed === null) {
      this.#view.putElement(this.#key, this.#row!, sortKey, value);
      return;
    }
    const at = position(this.#packed, sortKey);
    const replaced = this.#packed[at]?.sortKey.equals(sortKey) === true ? 1 : 0;
    this.#packed.splice(at, replaced, { sortKey, value });
  }

  remove(sortKey: Buffer): void {
    if (this.#packed === null) {
      this.#view.removeElement(this.#key, this.#row!, sortKey);
      return;
    }
    const at = position(this.#packed, sortKey);
    if (this.#packed[at]?.sortKey.equals(sortKey) === true) this.#packed.splice(at, 1);
  }

  range({ gte, lt, reverse, limit }: ElementRange): Element[] {
    if (this.#packed === null) {
      return this.#view.elements(this.#key, this.#row!, { gte, lt, reverse, limit });
    }
    const from = gte === null ? 0 : position(this.#packed, gte);
    const to = lt === null ? this.#packed.length : Math.max(from, position(this.#packed, lt));
    if (!reverse) return this.#packed.slice(from, Math.min(to, from + limit));
    return this.#packed.slice(Math.max(from, to - limit), to).reverse();
  }

  /** Writes the row's header. */
  finish(change: Omit<RowChange, 'large' | 'value'>, facts: Buffer): void {
    if (this.#packed === null) {
      this.#view.put(this.#key, this.#row, { ...change, large: true, value: facts });
      return;
    }
    if (this.#packed.length <= limits.packedElements) {
      const value = Buffer.concat([facts, pack(this.#packed)]);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, this.#row, { ...change, large: false, value });
        return;
      }
    }
    const row = this.#view.put(this.#key, this.#row, { ...change, large: true, value: facts });
    for (const { sortKey, value } of this.#packed) this.#view.putElement(this.#key, row, sortKey, value);
  }
}

/** Where `sortKey` is or belongs. */
function position(elements: readonly Element[], sortKey: Buffer): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (elements[middle]!.sortKey.compare(sortKey) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
