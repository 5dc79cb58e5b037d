/**
 * The n first of many, without keeping the others: a heap whose top is the last
 * of those kept (Williams 1964).
 *
 * @module
 */

/** Keeps the `size` first items in the order of `compare`. */
export interface Smallest<A> {
  /** The last one kept; what is not before it need not be offered. */
  readonly last: () => A | undefined;
  readonly isFull: () => boolean;
  /** Takes an item in; the item that had to go, if any. */
  readonly offer: (item: A) => A | undefined;
  readonly items: () => ReadonlyArray<A>;
}

function siftUp<A>(heap: Array<A>, compare: (a: A, b: A) => number): void {
  let at = heap.length - 1;
  const item = heap[at]!;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (compare(heap[parent]!, item) >= 0) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = item;
}

function siftDown<A>(heap: Array<A>, compare: (a: A, b: A) => number): void {
  const item = heap[0]!;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1;
    const isRight = right < heap.length &&
      compare(heap[right]!, heap[child]!) > 0;
    if (isRight) child = right;
    if (compare(heap[child]!, item) <= 0) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = item;
}

export function smallest<A>(
  size: number,
  compare: (a: A, b: A) => number,
): Smallest<A> {
  const heap: Array<A> = [];
  const offer = (item: A) => {
    if (heap.length < size) {
      heap.push(item);
      siftUp(heap, compare);
      return undefined;
    }
    if (size === 0 || compare(item, heap[0]!) >= 0) return item;
    const gone = heap[0]!;
    heap[0] = item;
    siftDown(heap, compare);
    return gone;
  };
  return {
    last: () => heap[0],
    isFull: () => heap.length === size,
    offer,
    items: () => heap,
  };
}
