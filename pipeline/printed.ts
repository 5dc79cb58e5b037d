/**
 * Numbers that were printed before: a return or an advantage comes again and again
 * where rewards are few, and copying its text takes a fifth of making it.
 *
 * @module
 */
import type { Writer } from "./bytes.ts";

const SIZE = 1024;
/** Words of text that are kept of a number. */
const WORDS = 4;
const LONGEST = 4 * WORDS;
const COMMA = 0x2c;
/** Numbers after which it is seen how many were found. */
const TRIED = 4096;
/** The least share of them that looking is worth. */
const WORTH = 0.2;
const SKIPPED = 65_536;

/** A direct-mapped cache, by the bits of doubles. */
export interface Printed {
  readonly write: (out: Writer, at: number, x: number) => number;
  readonly high: Int32Array;
  readonly low: Int32Array;
  /** The text of each, {@linkcode WORDS} words. */
  readonly text: Int32Array;
  readonly width: Uint8Array;
  /** What was last printed from, and its words. */
  values: Float64Array;
  words: Int32Array;
  /** Numbers looked up since it was last seen whether that is worth it; found. */
  tried: number;
  found: number;
  /** Numbers that are yet to be printed without looking. */
  skip: number;
}

/** A cache of what `write` prints, whose text depends on the number alone. */
export function emptyPrinted(write: Printed["write"]): Printed {
  return {
    write,
    // Of no finite number: an infinity with other bits.
    high: new Int32Array(SIZE).fill(-1),
    low: new Int32Array(SIZE),
    text: new Int32Array(WORDS * SIZE),
    width: new Uint8Array(SIZE),
    values: new Float64Array(0),
    words: new Int32Array(0),
    tried: 0,
    found: 0,
    skip: 0,
  };
}

function wordsOf(printed: Printed, values: Float64Array): Int32Array {
  if (printed.values !== values) {
    printed.values = values;
    const { buffer, byteOffset, length } = values;
    printed.words = new Int32Array(buffer, byteOffset, 2 * length);
  }
  return printed.words;
}

/** Looks whether looking is worth it: where hardly any number comes again, not. */
function settle(printed: Printed): void {
  if (printed.tried < TRIED) return;
  if (printed.found < WORTH * printed.tried) printed.skip = SKIPPED;
  printed.tried = printed.found = 0;
}

function printPlainly(
  values: Float64Array,
  from: number,
  to: number,
  { write }: Printed,
  out: Writer,
): void {
  const { bytes } = out;
  let at = out.length;
  for (let i = from; i < to; i++) {
    if (i > from) bytes[at++] = COMMA;
    at = write(out, at, values[i]!);
  }
  out.length = at;
}

/**
 * Appends numbers with commas between them; there must be NUMBER_WIDTH bytes of
 * room for each, and one more.
 */
export function printList(
  values: Float64Array,
  from: number,
  to: number,
  printed: Printed,
  out: Writer,
): void {
  if (printed.skip > 0) {
    printed.skip -= to - from;
    return printPlainly(values, from, to, printed, out);
  }
  const { write, high, low, text, width } = printed;
  let found = 0;
  const words = wordsOf(printed, values);
  const { bytes, view } = out;
  let at = out.length;
  for (let i = from; i < to; i++) {
    if (i > from) bytes[at++] = COMMA;
    const lower = words[2 * i]!;
    const upper = words[2 * i + 1]!;
    const slot = Math.imul(lower ^ Math.imul(upper, 31), 0x9e3779b1) >>> 22;
    if (low[slot] === lower && high[slot] === upper) {
      // The last words may hang over into what is written next.
      const t = WORDS * slot;
      view.setInt32(at, text[t]!, true);
      view.setInt32(at + 4, text[t + 1]!, true);
      view.setInt32(at + 8, text[t + 2]!, true);
      view.setInt32(at + 12, text[t + 3]!, true);
      at += width[slot]!;
      found++;
      continue;
    }
    const end = write(out, at, values[i]!);
    if (end - at <= LONGEST) {
      low[slot] = lower;
      high[slot] = upper;
      width[slot] = end - at;
      for (let w = 0; w < WORDS; w++) {
        text[WORDS * slot + w] = view.getInt32(at + 4 * w, true);
      }
    }
    at = end;
  }
  out.length = at;
  printed.tried += to - from;
  printed.found += found;
  settle(printed);
}
