/**
 * What steps of a group are compared by, and which of them were not valid.
 *
 * @module
 */
import {
  type Cursor,
  cursor,
  enterList,
  nextEntry,
  place,
  skipValue,
  Syntax,
} from "../../json_scan.ts";
import { type Numbers, readNumbers } from "../../json_numbers.ts";
import { columnEnd, columnStart, type RowIndex } from "../../scan.ts";
import { columnIndex } from "../../schema.ts";

const VALID = columnIndex("valid");
const c = cursor();
const decoder = new TextDecoder();
const LETTER_T = 0x74;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

/** Calls `use` with the bytes of each value of a column of episode `e`. */
function forEachValue(
  row: RowIndex,
  e: number,
  index: number,
  use: (from: number, to: number) => void,
): void {
  place(c, row.bytes, columnStart(row, e, index), columnEnd(row, e, index));
  if (!enterList(c)) return;
  do {
    const from = c.at;
    skipValue(c);
    use(from, c.at);
  } while (nextEntry(c));
}

/** Calls `mark` with each step (from 0 in the trial) whose action was not valid. */
export function forEachInvalid(
  row: RowIndex,
  mark: (step: number) => void,
): void {
  for (let e = 0; e < row.episodes; e++) {
    if (columnStart(row, e, VALID) === 0) continue;
    let step = e === 0 ? 0 : row.ends[e - 1]!;
    forEachValue(row, e, VALID, (from, to) => {
      const first = row.bytes[from]!;
      const isZero = first === ZERO && to === from + 1;
      if (first !== LETTER_T && (isZero || first > NINE)) mark(step);
      step++;
    });
  }
}

/** Numbers for whatever steps of a group are compared by. */
export interface Keys {
  /** Of small integers: the number, above `base`, or what is left of before. */
  readonly small: Int32Array;
  base: number;
  readonly numbers: Map<number, number>;
  readonly texts: Map<string, number>;
  count: number;
}

const SMALL = 2 ** 12;
const LARGEST_BASE = 2 ** 30;

export function keys(): Keys {
  return {
    small: new Int32Array(SMALL),
    base: 0,
    numbers: new Map(),
    texts: new Map(),
    count: 0,
  };
}

export function clearKeys(keys: Keys): void {
  keys.base += keys.count;
  if (keys.base > LARGEST_BASE) {
    keys.small.fill(0);
    keys.base = 0;
  }
  if (keys.numbers.size > 0) keys.numbers.clear();
  if (keys.texts.size > 0) keys.texts.clear();
  keys.count = 0;
}

/** The number of a key that is a number. */
function numberKey(keys: Keys, key: number): number {
  const { small, base } = keys;
  if ((key & (SMALL - 1)) !== key) return numberOf(keys.numbers, key, keys);
  const known = small[key]!;
  if (known > base) return known - base - 1;
  small[key] = base + ++keys.count;
  return keys.count - 1;
}

function numberOf<K>(map: Map<K, number>, key: K, keys: Keys): number {
  const known = map.get(key);
  if (known !== undefined) return known;
  map.set(key, keys.count);
  return keys.count++;
}

/** The number of a key of text. */
export function textKey(keys: Keys, text: string): number {
  return numberOf(keys.texts, text, keys);
}

/** Whether a value that begins with this is a number, or may be behind space. */
function isNumber(byte: number): boolean {
  return byte <= SPACE || byte === MINUS || (byte >= ZERO && byte <= NINE);
}

/** Reads a list into `scratch`; not where something else stands among numbers. */
function areNumbers(c: Cursor, scratch: Numbers): boolean {
  scratch.length = 0;
  try {
    readNumbers(c, scratch);
    return true;
  } catch (error) {
    if (error instanceof Syntax) return false;
    throw error;
  }
}

/**
 * Writes the key of each step of episode `e` into `into`, from `at` on: equal
 * numbers, or equal bytes of any other value, have the same. `prefix` keeps keys of
 * one kind from those of another.
 */
export function readKeys(
  row: RowIndex,
  e: number,
  index: number,
  prefix: string,
  keys: Keys,
  scratch: Numbers,
  into: Int32Array,
  at: number,
): void {
  const steps = row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!);
  const start = columnStart(row, e, index);
  place(c, row.bytes, start, columnEnd(row, e, index));
  if (
    prefix === "" && isNumber(row.bytes[start + 1]!) && areNumbers(c, scratch)
  ) {
    for (let t = 0; t < steps; t++) {
      into[at + t] = numberKey(keys, scratch.values[t]!);
    }
    return;
  }
  let t = 0;
  forEachValue(row, e, index, (from, to) => {
    if (t === steps) return;
    const text = decoder.decode(row.bytes.subarray(from, to));
    into[at + t++] = prefix === "" && isNumber(row.bytes[from]!)
      ? numberKey(keys, Number(text))
      : textKey(keys, prefix + text);
  });
}
