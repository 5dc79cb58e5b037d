/**
 * 32-bit floats as decimals.
 *
 * @module
 */

/** Below it floats have fewer than 24 bits, and so fewer digits. */
const SMALLEST_NORMAL = 2 ** -126;
/** Every decimal of so many digits survives a normal 32-bit float. */
const DIGITS = 6;

/** Integers below it are floats, each. */
const EXACT = 2 ** 24;

/** The decimals of so many digits around `x`, the nearest first. */
function around(x: number, digits: number): ReadonlyArray<number> {
  const text = x.toExponential(digits - 1);
  const [mantissa, exponent] = text.split("e");
  const unit = Number(mantissa!.replace(".", ""));
  const scale = `e${Number(exponent) - digits + 1}`;
  const neighbours = [unit + 1, unit - 1].map((n) => Number(`${n}${scale}`));
  return [Number(text), ...neighbours];
}

/**
 * The double with the shortest decimal that reads back as the same 32-bit float.
 * It is the number that was stored, if that had at most six significant digits
 * and was not below 2^-126: more digits may survive, but need not.
 *
 * @param x A finite 32-bit float.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(Math.fround(0.1), 0.10000000149011612);
 * equal(shortest(Math.fround(0.1)), 0.1);
 * ```
 */
export function shortest(x: number): number {
  if (Math.abs(x) < EXACT && Number.isInteger(x)) return x;
  // A decimal of fewer digits is found with zeros at its end.
  let digits = Math.abs(x) < SMALLEST_NORMAL ? 1 : DIGITS;
  for (;; digits++) {
    // At a power of two floats lie closer below than above, so that the nearest
    // decimal may miss where the next one does not.
    const found = around(x, digits).find((d) => Math.fround(d) === x);
    if (found !== undefined) return found;
  }
}
