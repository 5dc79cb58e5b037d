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

/** Two entries of one digit, zeros here, one of two and one of three. */
const ONES = 0x2c302c30;
const TENS = 0x002c3030;
const HUNDREDS = 0x2c303030;
/** What a comma differs by from the end of a list, behind one digit and two. */
const CLOSES_ONE = 0x7100;
const CLOSES_TWO = 0x710000;

/**
 * Whether the bytes of `word` where `sixes` has a 6 are below ten, and those others
 * that `rest` looks at are zero. What is ten or more carries into the upper half of
 * its byte; a carry into the next byte comes of a byte that `rest` sees by itself.
 */
function areDigits(word: number, sixes: number, rest: number): boolean {
  return ((word | (word + sixes)) & rest) === 0;
}

/**
 * Reads small codes, most of what there is, four bytes at a time: as far as they go
 * and there is room for them. Whether the list has ended; the cursor is behind it
 * then, else at an entry. What the loop works on is fixed within it, so that the
 * engine need not look at it anew each time.
 */
function readCodes(c: Cursor, into: Numbers): boolean {
  const { view } = c;
  const { values } = into;
  const last = c.end - 4;
  const room = values.length - 2;
  let { at } = c;
  let { length } = into;
  let hasEnded = false;
  while (at <= last && length <= room) {
    const word = view.getInt32(at, true);
    const ones = word ^ ONES;
    if (areDigits(ones, 0x00060006, 0xfff0fff0)) {
      values[length] = ones & 15;
      values[length + 1] = ones >> 16;
      length = (length + 2) | 0;
      at = (at + 4) | 0;
      continue;
    }
    if (areDigits(ones, 6, 0xfff0)) {
      values[length] = ones & 15;
      length = (length + 1) | 0;
      at = (at + 2) | 0;
      continue;
    }
    const tens = word ^ TENS;
    if ((tens & 15) !== 0 && areDigits(tens, 0x0606, 0xfff0f0)) {
      values[length] = (tens & 15) * 10 + ((tens >> 8) & 15);
      length = (length + 1) | 0;
      at = (at + 3) | 0;
      continue;
    }
    // The last entry of a list.
    if (areDigits(ones ^ CLOSES_ONE, 6, 0xfff0)) {
      values[length++] = ones & 15;
      at += 2;
      hasEnded = true;
      break;
    }
    if ((tens & 15) === 0) break;
    if (areDigits(tens ^ CLOSES_TWO, 0x0606, 0xfff0f0)) {
      values[length++] = (tens & 15) * 10 + ((tens >> 8) & 15);
      at += 3;
      hasEnded = true;
      break;
    }
    const hundreds = word ^ HUNDREDS;
    if (!areDigits(hundreds, 0x060606, 0xfff0f0f0)) break;
    values[length] = (hundreds & 15) * 100 + ((hundreds >> 8) & 15) * 10 +
      (hundreds >> 16);
    length = (length + 1) | 0;
    at = (at + 4) | 0;
  }
  c.at = at;
  into.length = length;
  return hasEnded;
}

/** Reads a list of numbers onto the end of `into`; how many there were. */
export function readNumbers(c: Cursor, into: Numbers): number {
  if (!enterList(c)) return 0;
  const from = into.length;
  for (;;) {
    if (readCodes(c, into)) break;
    makeRoom(into, 1);
    skipSpace(c);
    into.values[into.length++] = readNumber(c);
    if (!nextEntry(c)) break;
  }
  return into.length - from;
}
