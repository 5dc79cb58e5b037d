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

/** The next decimals of so many digits, away from zero and towards it. */
function neighbours(x: number, digits: number): ReadonlyArray<number> {
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const unit = Number(mantissa!.replace(".", ""));
  const scale = Number(exponent) - digits + 1;
  return [unit + 1, unit - 1].map((n) => Number(`${n}e${scale}`));
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
    const isSame = (decimal: number) => Math.fround(decimal) === x;
    const nearest = Number(x.toPrecision(digits));
    if (isSame(nearest)) return nearest;
    // At a power of two floats lie closer below than above, so that the nearest
    // decimal may miss where the next one does not.
    const other = neighbours(x, digits).find(isSame);
    if (other !== undefined) return other;
  }
}
