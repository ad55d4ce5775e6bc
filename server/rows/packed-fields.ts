/**
 * The fields of a packed row while it is changed, in the order in which they came: as in Redis, where a small hash is
 * a listpack, a field that gets another value keeps its place. A row that is about to spill can hold very many (one
 * HSET may bring hundreds of thousands), so beyond the size of a packed row they are found by an index.
 */
import { limits } from '../../shared/limits.js';
import type { Element } from '../execution/view.js';

export class PackedFields {
  readonly #elements: Element[];
  /** Positions by field, once there are too many to compare one by one; null: to be made. */
  #positions: Map<string, number> | null = null;

  constructor(elements: Element[]) {
    this.#elements = elements;
  }

  get elements(): readonly Element[] {
    return this.#elements;
  }

  /** The stored value of a field, null when there is none. */
  find(field: Buffer): Buffer | null {
    return this.#elements[this.#position(field)]?.value ?? null;
  }

  set(field: Buffer, stored: Buffer): void {
    const at = this.#position(field);
    const element = { sortKey: field, value: stored };
    if (at >= 0) {
      this.#elements[at] = element;
      return;
    }
    this.#positions?.set(field.latin1Slice(), this.#elements.length);
    this.#elements.push(element);
  }

  remove(field: Buffer): void {
    const at = this.#position(field);
    if (at < 0) return;
    this.#elements.splice(at, 1);
    this.#positions = null;
  }

  #position(field: Buffer): number {
    if (this.#elements.length <= limits.packedElements) {
      return this.#elements.findIndex(({ sortKey }) => sortKey.length === field.length && sortKey.equals(field));
    }
    this.#positions ??= new Map(this.#elements.map(({ sortKey }, at) => [sortKey.latin1Slice(), at]));
    return this.#positions.get(field.latin1Slice()) ?? -1;
  }
}
