/**
 * Flat lists of numbers, read into one run of doubles.
 *
 * @module
 */
import {
  type Cursor,
  enterList,
  nextEntry,
  readNumber,
  skipSpace,
} from "./json_scan.ts";

const ZERO = 0x30;
const NINE = 0x39;
const COMMA = 0x2c;

/** A growing run of numbers. */
export interface Numbers {
  values: Float64Array;
  length: number;
}

export function numbers(capacity = 1024): Numbers {
  return { values: new Float64Array(capacity), length: 0 };
}

/** Makes room for so many more numbers. */
export function makeRoom(into: Numbers, more: number): void {
  while (into.values.length < into.length + more) into.values = larger(into);
}

function larger(into: Numbers): Float64Array {
  const values = new Float64Array(into.values.length * 2);
  values.set(into.values);
  return values;
}

/** `0,0,` */
const ZERO_ZERO = 0x2c302c30;

/** Reads a list of numbers onto the end of `into`; how many there were. */
export function readNumbers(c: Cursor, into: Numbers): number {
  if (!enterList(c)) return 0;
  const { bytes, view, end } = c;
  const from = into.length;
  let { values, length } = into;
  for (;;) {
    // Rewards are zero for long stretches: two at a time then.
    while (
      c.at + 4 <= end && length + 2 <= values.length &&
      view.getInt32(c.at, true) === ZERO_ZERO
    ) {
      values[length] = values[length + 1] = 0;
      length += 2;
      c.at += 4;
    }
    if (length === values.length) {
      into.length = length;
      values = into.values = larger(into);
    }
    // A single digit and a comma: rewards are mostly that.
    const byte = c.at < end ? bytes[c.at]! : 0;
    const after = c.at + 1 < end ? bytes[c.at + 1]! : 0;
    if (byte >= ZERO && byte <= NINE && after === COMMA) {
      values[length++] = byte - ZERO;
      c.at += 2;
      continue;
    }
    // Two or three digits, as most other codes of observations are.
    if (byte > ZERO && byte <= NINE && after >= ZERO && after <= NINE) {
      let [value, to] = [(byte - ZERO) * 10 + after - ZERO, c.at + 2];
      let next = to < end ? bytes[to]! : 0;
      if (next >= ZERO && next <= NINE) {
        value = value * 10 + next - ZERO;
        next = ++to < end ? bytes[to]! : 0;
      }
      if (next === COMMA) {
        values[length++] = value;
        c.at = to + 1;
        continue;
      }
    }
    skipSpace(c);
    values[length++] = readNumber(c);
    if (c.at < end && bytes[c.at] === COMMA) {
      c.at++;
      continue;
    }
    if (!nextEntry(c)) break;
  }
  into.length = length;
  return length - from;
}
