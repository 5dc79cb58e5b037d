/** Lists of numbers that should be equal, but for rounding. */
import { equal, ok } from "node:assert/strict";

/** Entries differ by `tolerance` at most, of their size where that is above 1. */
export function allClose(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  tolerance: number,
): void {
  equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    const limit = tolerance * Math.max(1, Math.abs(b[i]!));
    ok(Math.abs(a[i]! - b[i]!) <= limit, `${i}: ${a[i]} is not ${b[i]}`);
  }
}
