/**
 * A strict JSON scanner over bytes: it finds where values end and reads flat
 * arrays of numbers, without making strings or objects of what nobody asked for.
 *
 * A cursor is the bytes, a place in them and the end of the line. Every function
 * leaves the place behind what it read, and throws {@linkcode Syntax} where the
 * bytes are not JSON.
 *
 * @module
 */
import { LINE_FEED } from "./bytes.ts";

export interface Cursor {
  bytes: Uint8Array;
  /** The same bytes, for reading several at once. */
  view: DataView;
  at: number;
  end: number;
}

/** A cursor over nothing yet. */
export function cursor(): Cursor {
  const bytes = new Uint8Array(0);
  return { bytes, view: new DataView(bytes.buffer), at: 0, end: 0 };
}

/** Puts the cursor over `bytes`, from `start` to `end`. */
export function place(
  c: Cursor,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (c.bytes !== bytes) {
    c.bytes = bytes;
    c.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  c.at = start;
  c.end = end;
}

/** The bytes at `at` are not JSON; caught where line and field are known. */
export class Syntax extends Error {
  override readonly name = "Syntax";
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const latin1 = new TextDecoder("latin1");

/** Powers of ten that doubles hold exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const DEEPEST = 512;

/** What stands at the cursor, for an error. */
export function unexpected(c: Cursor, expected: string): Syntax {
  const lineEnd = c.bytes.indexOf(LINE_FEED, c.at);
  const end = lineEnd < 0 ? c.end : Math.min(lineEnd, c.end);
  if (c.at >= end) return new Syntax(`line ends where ${expected} should be`);
  const seen = latin1.decode(c.bytes.subarray(c.at, Math.min(c.at + 12, end)));
  return new Syntax(`${expected} expected, found ${JSON.stringify(seen)}`);
}

export function skipSpace(c: Cursor): void {
  const { bytes, end } = c;
  let at = c.at;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) break;
    at++;
  }
  c.at = at;
}

/** The byte at the cursor, after spaces; 0 at the end. */
export function peek(c: Cursor): number {
  if (c.at < c.end && c.bytes[c.at]! > 0x20) return c.bytes[c.at]!;
  skipSpace(c);
  return c.at < c.end ? c.bytes[c.at]! : 0;
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66);
}

function skipEscape(c: Cursor): void {
  const byte = c.bytes[c.at + 1] ?? 0;
  if (byte !== 0x75) {
    if (!'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      throw unexpected(c, "an escape");
    }
    c.at += 2;
    return;
  }
  for (let i = 2; i < 6; i++) {
    if (!isHex(c.bytes[c.at + i] ?? 0)) throw unexpected(c, "four hex digits");
  }
  c.at += 6;
}

/** Passes over a string; the cursor is at its first quote. */
export function skipString(c: Cursor): void {
  const { bytes, end } = c;
  c.at++;
  for (;;) {
    let at = c.at;
    let byte = 0;
    while (at < end) {
      byte = bytes[at]!;
      if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) break;
      at++;
    }
    c.at = at;
    if (at >= end || byte < 0x20) throw unexpected(c, "the end of a string");
    if (byte === QUOTE) {
      c.at = at + 1;
      return;
    }
    skipEscape(c);
  }
}

/** Strings as they were read last, by their length: most are names. */
const recent: Array<{ readonly bytes: Uint8Array; readonly text: string }> = [];
const LONGEST_NAME = 32;

function standsAt(bytes: Uint8Array, from: number, wanted: Uint8Array) {
  for (let i = 0; i < wanted.length; i++) {
    if (bytes[from + i] !== wanted[i]) return false;
  }
  return true;
}

/** The text of a string; the cursor is at its first quote. */
export function readString(c: Cursor): string {
  const from = c.at;
  skipString(c);
  const length = c.at - from;
  const known = recent[length];
  if (known && standsAt(c.bytes, from, known.bytes)) return known.text;
  const bytes = c.bytes.slice(from, c.at);
  const text: string = JSON.parse(utf8.decode(bytes));
  if (length <= LONGEST_NAME) recent[length] = { bytes, text };
  return text;
}
const utf8 = new TextDecoder();

function skipDigits(c: Cursor): void {
  const { bytes, end } = c;
  const from = c.at;
  while (c.at < end && bytes[c.at]! >= ZERO && bytes[c.at]! <= NINE) c.at++;
  if (c.at === from) throw unexpected(c, "a digit");
}

/** Reads a number by the book: the slow way, for what is rare. */
function readSlowly(c: Cursor): number {
  const from = c.at;
  if (c.bytes[c.at] === MINUS) c.at++;
  const leading = c.bytes[c.at] ?? 0;
  const isDigit = c.at < c.end && leading >= ZERO && leading <= NINE;
  if (!isDigit) {
    c.at = from;
    throw unexpected(c, "a number");
  }
  if (leading === ZERO) c.at++;
  else skipDigits(c);
  if (c.at < c.end && c.bytes[c.at] === DOT) {
    c.at++;
    skipDigits(c);
  }
  if (c.at < c.end && (c.bytes[c.at]! | 0x20) === 0x65) {
    c.at++;
    const sign = c.bytes[c.at];
    if (sign === 0x2b || sign === MINUS) c.at++;
    skipDigits(c);
  }
  const value = Number(latin1.decode(c.bytes.subarray(from, c.at)));
  if (Number.isFinite(value)) return value;
  c.at = from;
  throw unexpected(c, "a finite number");
}

/**
 * Reads a number. Up to 15 digits are gathered as an integer and divided by an
 * exact power of ten, which rounds once and so correctly (Clinger 1990).
 */
export function readNumber(c: Cursor): number {
  const { bytes, end } = c;
  let at = c.at;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  let mantissa = 0;
  let byte = 0;
  while (at < end) {
    byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) break;
    mantissa = mantissa * 10 + (byte - ZERO);
    at++;
  }
  const whole = at - first;
  if (whole === 0 || (whole > 1 && bytes[first] === ZERO)) return readSlowly(c);
  let decimals = 0;
  if (at < end && byte === DOT) {
    const point = ++at;
    while (at < end) {
      byte = bytes[at]!;
      if (byte < ZERO || byte > NINE) break;
      mantissa = mantissa * 10 + (byte - ZERO);
      at++;
    }
    decimals = at - point;
    if (decimals === 0) return readSlowly(c);
  }
  if (whole + decimals > 15 || (at < end && (byte | 0x20) === 0x65)) {
    return readSlowly(c);
  }
  c.at = at;
  const size = decimals === 0 ? mantissa : mantissa / POWERS[decimals]!;
  return negative ? -size : size;
}

function skipWord(c: Cursor, word: string): void {
  for (let i = 0; i < word.length; i++) {
    if (c.at + i >= c.end || c.bytes[c.at + i] !== word.charCodeAt(i)) {
      throw unexpected(c, "a JSON value");
    }
  }
  c.at += word.length;
}

const TRUE = 0x65757274;
const ALSE = 0x65736c61;

/** Reads `true` or `false`. */
export function readFlag(c: Cursor): boolean {
  const yes = peek(c) === 0x74;
  const from = yes ? c.at : c.at + 1;
  const fits = from + 4 <= c.end && (yes || c.bytes[c.at] === 0x66);
  if (!fits || c.view.getInt32(from, true) !== (yes ? TRUE : ALSE)) {
    throw unexpected(c, "true or false");
  }
  c.at = from + 4;
  return yes;
}

/** Passes over any value. */
export function skipValue(c: Cursor, depth = 0): void {
  const byte = peek(c);
  if (byte === QUOTE) return skipString(c);
  if (depth > DEEPEST) throw unexpected(c, `no more than ${DEEPEST} levels`);
  if (byte === OPEN_LIST) {
    skipList(c, depth + 1);
  } else if (byte === OPEN_OBJECT) {
    for (let more = enter(c); more; more = nextMember(c)) {
      skipString(c);
      toValue(c);
      skipValue(c, depth + 1);
    }
  } else if (byte === 0x74) skipWord(c, "true");
  else if (byte === 0x66) skipWord(c, "false");
  else if (byte === 0x6e) skipWord(c, "null");
  else readNumber(c);
}

/** Enters an object; whether it has members. The cursor is at a key then. */
export function enter(c: Cursor): boolean {
  if (peek(c) !== OPEN_OBJECT) throw unexpected(c, "an object");
  c.at++;
  if (peek(c) === QUOTE) return true;
  if (peek(c) !== CLOSE_OBJECT) throw unexpected(c, "a key");
  c.at++;
  return false;
}

/** Goes on to the next key of an object, or leaves it. */
export function nextMember(c: Cursor): boolean {
  const byte = peek(c);
  c.at++;
  if (byte === COMMA) {
    if (peek(c) !== QUOTE) throw unexpected(c, "a key");
    return true;
  }
  if (byte === CLOSE_OBJECT) return false;
  c.at--;
  throw unexpected(c, "a comma or the end of an object");
}

/** Goes over the colon behind a key. */
export function toValue(c: Cursor): void {
  if (peek(c) !== COLON) throw unexpected(c, "a colon");
  c.at++;
  skipSpace(c);
}

/** Enters a list; whether it has entries. */
export function enterList(c: Cursor): boolean {
  if (peek(c) !== OPEN_LIST) throw unexpected(c, "a list");
  c.at++;
  if (peek(c) !== CLOSE_LIST) return true;
  c.at++;
  return false;
}

/** Goes on to the next entry of a list, or leaves it. */
export function nextEntry(c: Cursor): boolean {
  const byte = peek(c);
  c.at++;
  if (byte === COMMA) return true;
  if (byte === CLOSE_LIST) return false;
  c.at--;
  throw unexpected(c, "a comma or the end of a list");
}

/** Passes over a list of anything; the number of its entries. */
export function skipList(c: Cursor, depth = 0): number {
  if (!enterList(c)) return 0;
  let count = 0;
  do {
    count += skipIntegers(c);
    skipValue(c, depth);
    count++;
  } while (nextEntry(c));
  return count;
}

const HIGH = 0x80808080 | 0;
const LOW = 0x7f7f7f7f;
const COMMAS = 0x2c2c2c2c;
const ZEROS = 0x30303030;

/** 0x80 in each byte of `word` that is zero, and 0 in the others. */
function zeroBytes(word: number): number {
  return ~(((word & LOW) + LOW) | word | LOW);
}

/**
 * Passes over whole entries of plain digits, four bytes at a time, as far as it
 * is sure of them; most of what rows are made of is that. Stops at the start of
 * an entry, and leaves to the slow way whatever is not digits and commas, or
 * has a zero in front.
 */
function skipIntegers(c: Cursor): number {
  const { view, end } = c;
  let at = c.at;
  let count = 0;
  // The byte before the word: 0x80 if it is the start of an entry.
  let starts = 0x80;
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    const comma = zeroBytes(word ^ COMMAS);
    const digits = word ^ ZEROS;
    const other = (((digits & LOW) + 0x76767676) | digits) & HIGH;
    const first = (comma << 8) | starts;
    // Not only digits and commas, an empty entry, or a zero with a digit behind.
    if (other !== comma || (comma & first) !== 0) break;
    const zero = zeroBytes(digits) & first;
    if (((zero << 8) & ~comma & HIGH) !== 0 || zero < 0) break;
    count += Math.imul(comma >>> 7, 0x01010101) >>> 24;
    starts = comma < 0 ? 0x80 : 0;
  }
  const { bytes } = c;
  while (at > c.at && bytes[at - 1] !== COMMA) at--;
  c.at = at;
  return count;
}
