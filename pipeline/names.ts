/**
 * Keys of objects, known by their bytes.
 *
 * @module
 */
import { type Cursor, skipString, toValue } from "./json_scan.ts";

/** Names as bytes, to be matched without making strings. */
export type Names = ReadonlyArray<Uint8Array>;

const utf8 = new TextEncoder();

export function namesOf(names: ReadonlyArray<string>): Names {
  return names.map((name) => utf8.encode(name));
}

function matches(c: Cursor, name: Uint8Array): boolean {
  const from = c.at + 1;
  if (c.bytes[from + name.length] !== 0x22) return false;
  for (let i = 0; i < name.length; i++) {
    if (c.bytes[from + i] !== name[i]) return false;
  }
  return true;
}

/**
 * Which of `names` the key at the cursor is, and goes over it and its colon; -1
 * if none. Keys mostly come in the order of the table, so `guess` is tried first.
 */
export function readKey(c: Cursor, names: Names, guess: number): number {
  let found = -1;
  let candidate = guess < names.length ? guess : 0;
  for (let i = 0; i < names.length; i++) {
    if (matches(c, names[candidate]!)) {
      found = candidate;
      c.at += names[candidate]!.length + 2;
      break;
    }
    if (++candidate === names.length) candidate = 0;
  }
  if (found < 0) skipString(c);
  toValue(c);
  return found;
}
