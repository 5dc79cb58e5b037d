/**
 * Arrays filled window by window, one lot of them after another.
 *
 * @module
 */
import {
  type Arrays,
  arraysIn,
  type ArraysShape,
  type Filled,
  suits,
  widened,
  widthOf,
} from "../../pack_layout.ts";

/** Where lots come from, and where they go. */
export interface Lots<Lot extends Filled> {
  readonly take: (shape: ArraysShape) => Lot;
  /** Takes a lot whose first `windows` are filled. */
  readonly give: (lot: Lot, windows: number) => void;
}

export interface Filler {
  /** What now comes needs such arrays: where types do not suit, others begin. */
  readonly widen: (needed: ArraysShape) => void;
  /** Has the next window filled: of which arrays, and which of theirs it is. */
  readonly fill: (use: (arrays: Arrays, w: number) => void) => void;
  /** Adds the first `windows` of a lot that was filled elsewhere. */
  readonly append: (lot: Filled, windows: number) => void;
  /** Gives what is filled, though there is room. */
  readonly flush: () => void;
  /** What arrays are made for, once that is known. */
  readonly shape: () => ArraysShape | undefined;
}

/** Copies `count` windows from window `from` of arrays on, to window `at` of others. */
function copyWindows(
  source: Filled,
  from: number,
  into: Filled,
  at: number,
  count: number,
): void {
  const { context, observed } = into.shape;
  const targets = arraysIn(into.arrays);
  for (const [name, array] of Object.entries(arraysIn(source.arrays))) {
    const isSeen = name === "observations" || name === "next_observations";
    const each = context * (isSeen ? widthOf(observed) : 1);
    const some = array.subarray(from * each, (from + count) * each);
    targets[name]!.set(some, at * each);
  }
}

export function filler<Lot extends Filled>({ take, give }: Lots<Lot>): Filler {
  let shape: ArraysShape | undefined;
  let filling: Lot | undefined;
  let windows = 0;
  const flush = () => {
    if (!filling) return;
    const [lot, count] = [filling, windows];
    filling = undefined;
    windows = 0;
    give(lot, count);
  };
  const widen = (needed: ArraysShape) => {
    const wide = shape ? widened(shape, needed) : needed;
    if (shape && suits(shape, wide)) return;
    flush();
    shape = wide;
  };
  const isFull = () => filling !== undefined && windows === filling.windows;
  return {
    widen,
    fill: (use) => {
      filling ??= take(shape!);
      use(filling.arrays, windows++);
      if (isFull()) flush();
    },
    append: (lot, count) => {
      widen(lot.shape);
      for (let from = 0; from < count;) {
        filling ??= take(shape!);
        const some = Math.min(count - from, filling.windows - windows);
        copyWindows(lot, from, filling, windows, some);
        from += some;
        windows += some;
        if (isFull()) flush();
      }
    },
    flush,
    shape: () => shape,
  };
}
