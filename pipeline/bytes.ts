/**
 * Bytes of rows, written without strings in between.
 *
 * Numbers print as `JSON.stringify` prints them (the shortest decimal that reads
 * back equal), so that equal data gives equal bytes whichever path printed it.
 *
 * @module
 */

const utf8 = new TextEncoder();
const DIGITS = new Uint8Array(3000);
for (let i = 0; i < 1000; i++) {
  DIGITS[3 * i] = 48 + Math.floor(i / 100);
  DIGITS[3 * i + 1] = 48 + Math.floor(i / 10) % 10;
  DIGITS[3 * i + 2] = 48 + i % 10;
}
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const EXACT = 2 ** 53;

/** The longest print of a double is 25 characters; see {@linkcode putNumber}. */
export const NUMBER_WIDTH = 26;

/** A growing run of bytes. */
export interface Writer {
  bytes: Uint8Array;
  length: number;
}

export function writer(capacity = 1 << 16): Writer {
  return { bytes: new Uint8Array(capacity), length: 0 };
}

/** Makes room for `more` bytes. */
export function reserve(out: Writer, more: number): void {
  const wanted = out.length + more;
  if (wanted <= out.bytes.length) return;
  const larger = new Uint8Array(Math.max(wanted, out.bytes.length * 2));
  larger.set(out.bytes.subarray(0, out.length));
  out.bytes = larger;
}

/** A copy of what was written; the writer starts anew. */
export function take(out: Writer): Uint8Array<ArrayBuffer> {
  const taken = out.bytes.slice(0, out.length) as Uint8Array<ArrayBuffer>;
  out.length = 0;
  return taken;
}

export function putText(out: Writer, text: string): void {
  reserve(out, text.length * 3);
  const room = out.bytes.subarray(out.length);
  out.length += utf8.encodeInto(text, room).written;
}

/** Bytes `from` to `to` of `source`. */
export function putBytes(
  out: Writer,
  source: Uint8Array,
  from = 0,
  to = source.length,
): void {
  reserve(out, to - from);
  out.bytes.set(source.subarray(from, to), out.length);
  out.length += to - from;
}

export function putByte(out: Writer, byte: number): void {
  reserve(out, 1);
  out.bytes[out.length++] = byte;
}

/**
 * Writes an integer in [0, 10^9) at `at`; gives the place after it. There must
 * be room.
 */
export function writeInteger(bytes: Uint8Array, at: number, n: number): number {
  if (n < 10) {
    bytes[at] = ZERO + n;
    return at + 1;
  }
  if (n < 1000) {
    const d = 3 * n;
    if (n >= 100) bytes[at++] = DIGITS[d]!;
    bytes[at] = DIGITS[d + 1]!;
    bytes[at + 1] = DIGITS[d + 2]!;
    return at + 2;
  }
  const high = (n / 1000) | 0;
  const end = writeInteger(bytes, at, high);
  const d = 3 * (n - high * 1000);
  bytes[end] = DIGITS[d]!;
  bytes[end + 1] = DIGITS[d + 1]!;
  bytes[end + 2] = DIGITS[d + 2]!;
  return end + 3;
}

/** Three digits of a fraction, whatever they are. */
function writeThree(bytes: Uint8Array, at: number, n: number): void {
  bytes[at] = DIGITS[3 * n]!;
  bytes[at + 1] = DIGITS[3 * n + 1]!;
  bytes[at + 2] = DIGITS[3 * n + 2]!;
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

function withoutZeros(bytes: Uint8Array, at: number): number {
  while (bytes[at - 1] === ZERO) at--;
  return bytes[at - 1] === DOT ? at - 1 : at;
}

/** Writes a finite double at `at`; there must be NUMBER_WIDTH bytes of room. */
export function writeNumber(bytes: Uint8Array, at: number, x: number): number {
  if ((x | 0) === x && x > -1e9 && x < 1e9) {
    if (x >= 0) return writeInteger(bytes, at, x);
    bytes[at] = MINUS;
    return writeInteger(bytes, at + 1, -x);
  }
  const size = x < 0 ? -x : x;
  // Six decimals are what rewards are rounded to (`roundReward`). A decimal of
  // at most 15 digits that reads back as x is also the shortest that does.
  const millionths = Math.round(size * 1e6);
  if (size >= 1e9 || millionths / 1e6 !== size || millionths === 0) {
    return writeText(bytes, at, x === 0 ? "0" : String(x));
  }
  if (x < 0) bytes[at++] = MINUS;
  const whole = Math.floor(size);
  at = writeInteger(bytes, at, whole);
  bytes[at++] = DOT;
  const fraction = millionths - whole * 1e6;
  const high = (fraction / 1000) | 0;
  writeThree(bytes, at, high);
  writeThree(bytes, at + 3, fraction - high * 1000);
  return withoutZeros(bytes, at + 6);
}

/** Rounds to nine decimals while writing; NUMBER_WIDTH bytes of room. */
export function writeNanos(bytes: Uint8Array, at: number, x: number): number {
  if ((x | 0) === x && x > -1e9 && x < 1e9) {
    return writeNumber(bytes, at, x);
  }
  const nanos = Math.round((x < 0 ? -x : x) * 1e9);
  if (nanos >= EXACT) return writeText(bytes, at, String(x));
  if (x < 0 && nanos > 0) bytes[at++] = MINUS;
  const whole = Math.floor(nanos / 1e9);
  const fraction = nanos - whole * 1e9;
  at = writeInteger(bytes, at, whole);
  if (fraction === 0) return at;
  bytes[at++] = DOT;
  const high = (fraction / 1e6) | 0;
  const rest = fraction - high * 1e6;
  const middle = (rest / 1000) | 0;
  writeThree(bytes, at, high);
  writeThree(bytes, at + 3, middle);
  writeThree(bytes, at + 6, rest - middle * 1000);
  return withoutZeros(bytes, at + 9);
}

/** Appends a finite double. */
export function putNumber(out: Writer, x: number): void {
  reserve(out, NUMBER_WIDTH);
  out.length = writeNumber(out.bytes, out.length, x);
}
