/** A binary heap that knows where each of its items is, so that any item can leave it in O(log n). */
export class Heap<T extends object> {
  readonly #items: T[] = [];
  readonly #positions = new Map<T, number>();
  readonly #before: (a: T, b: T) => boolean;

  /** `before(a, b)` says that `a` comes out ahead of `b`; an item's place must not change while it is inside. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  /** How many items are inside. */
  get size(): number {
    return this.#items.length;
  }

  /** The item that comes out next. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Puts an item in. @throws TypeError when it already is. */
  push(item: T): void {
    if (this.#positions.has(item)) throw new TypeError("the item is in the heap already");
    this.#up(item, this.#items.length);
  }

  /** Takes out the next item. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  /** Takes out this item; false when it was not inside. */
  remove(item: T): boolean {
    const position = this.#positions.get(item);
    if (position === undefined) return false;
    this.#positions.delete(item);
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      if (position > 0 && this.#isBefore(last, this.#items[parent(position)])) this.#up(last, position);
      else this.#down(last, position);
    }
    return true;
  }

  #isBefore(a: T, b: T | undefined): boolean {
    return b !== undefined && this.#before(a, b);
  }

  #up(item: T, from: number): void {
    let position = from;
    while (position > 0) {
      const above = this.#items[parent(position)];
      if (above === undefined || !this.#before(item, above)) break;
      this.#place(above, position);
      position = parent(position);
    }
    this.#place(item, position);
  }

  #down(item: T, from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      const [a, b] = [this.#items[left], this.#items[left + 1]];
      if (a === undefined) break;
      const [child, at] = b !== undefined && this.#before(b, a) ? [b, left + 1] : [a, left];
      if (!this.#before(child, item)) break;
      this.#place(child, position);
      position = at;
    }
    this.#place(item, position);
  }

  #place(item: T, position: number): void {
    this.#items[position] = item;
    this.#positions.set(item, position);
  }
}

function parent(position: number): number {
  return (position - 1) >> 1;
}
