/**
 * Bytes of rows, written without strings in between.
 *
 * Numbers print as `JSON.stringify` prints them (the shortest decimal that reads
 * back equal), so that equal data gives equal bytes whichever path printed it.
 *
 * @module
 */

/** What every line ends with, and nothing else does. */
export const LINE_FEED = 0x0a;

const utf8 = new TextEncoder();
const DIGITS = new Uint8Array(3000);
for (let i = 0; i < 1000; i++) {
  DIGITS[3 * i] = 48 + Math.floor(i / 100);
  DIGITS[3 * i + 1] = 48 + Math.floor(i / 10) % 10;
  DIGITS[3 * i + 2] = 48 + i % 10;
}
/** Two digits as one integer, the first in its lower byte. */
const PAIRS = Int32Array.from(
  { length: 100 },
  (_, i) => DIGITS[3 * i + 1]! | DIGITS[3 * i + 2]! << 8,
);
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** The longest print of a double is 25 characters; see {@linkcode putNumber}. */
export const NUMBER_WIDTH = 26;

/** A growing run of bytes. */
export interface Writer {
  bytes: Uint8Array;
  /** The same bytes, for writing several at once. */
  view: DataView;
  length: number;
}

export function writer(capacity = 1 << 16): Writer {
  const bytes = new Uint8Array(capacity);
  return { bytes, view: new DataView(bytes.buffer), length: 0 };
}

function setBytes(out: Writer, bytes: Uint8Array): void {
  out.bytes = bytes;
  out.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Makes room for `more` bytes. */
export function reserve(out: Writer, more: number): void {
  const wanted = out.length + more;
  if (wanted <= out.bytes.length) return;
  const larger = obtain(Math.max(wanted, out.bytes.length * 2));
  larger.set(out.bytes.subarray(0, out.length));
  setBytes(out, larger);
}

/** Memory that was given back, to be written over. */
const pool: Array<Uint8Array> = [];
const POOLED = 8;
/** Memory that is out. Other memory is its maker's, who may write there still. */
const lent = new WeakSet<ArrayBufferLike>();

/** At least `capacity` bytes, whatever they hold. */
export function obtain(capacity: number): Uint8Array {
  const at = pool.findIndex((bytes) => bytes.length >= capacity);
  const bytes = at < 0 ? new Uint8Array(capacity) : pool.splice(at, 1)[0]!;
  lent.add(bytes.buffer);
  return bytes;
}

/**
 * Gives back memory that nobody will look at again: all of what `bytes` is a view
 * of, if {@linkcode obtain} gave it, and once. The host's chunks are left alone:
 * several of them may share one buffer.
 */
export function recycle(bytes: Uint8Array): void {
  if (!lent.delete(bytes.buffer) || pool.length === POOLED) return;
  pool.push(new Uint8Array(bytes.buffer));
}

/** What was written, handed over: the writer starts anew with other memory. */
export function take(out: Writer): Uint8Array {
  // Memory that holds nothing would be lost to whoever drops empty batches.
  if (out.length === 0) return new Uint8Array(0);
  const taken = out.bytes.subarray(0, out.length);
  setBytes(out, obtain(out.bytes.length));
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

/** ASCII that is written again and again. */
export function ascii(text: string): Uint8Array {
  return utf8.encode(text);
}

/** Appends a short text made by {@linkcode ascii}. */
export function putAscii(out: Writer, text: Uint8Array): void {
  reserve(out, text.length);
  const { bytes } = out;
  let at = out.length;
  for (let i = 0; i < text.length; i++) bytes[at++] = text[i]!;
  out.length = at;
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
export function writeNumber(out: Writer, at: number, x: number): number {
  const { bytes } = out;
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

/** Four digits as the integer that a little-endian store of them takes. */
function fourDigits(n: number): number {
  const high = (n / 100) | 0;
  return PAIRS[high]! | PAIRS[n - high * 100]! << 16;
}

/**
 * Rounds to nine decimals while writing at `at`, where there must be
 * NUMBER_WIDTH bytes of room.
 */
export function writeNanos(out: Writer, at: number, x: number): number {
  const { bytes, view } = out;
  const size = x < 0 ? -x : x;
  const whole = size | 0;
  if (whole === size && whole < 1e9) return writeNumber(out, at, x);
  // From here on doubles are more than 10^-9 apart.
  if (size >= 2 ** 23) return writeNumber(out, at, x);
  if (size >= 1e6) return writeNumber(out, at, Math.round(x * 1e9) / 1e9);
  let nanos = Math.round((size - whole) * 1e9) | 0;
  let units = whole;
  if (nanos === 1e9) {
    nanos = 0;
    units++;
  }
  if (x < 0 && (nanos | units) !== 0) bytes[at++] = MINUS;
  at = writeInteger(bytes, at, units);
  if (nanos === 0) return at;
  const five = (nanos / 10000) | 0;
  const first = (five / 10000) | 0;
  bytes[at] = DOT;
  bytes[at + 1] = ZERO + first;
  view.setInt32(at + 2, fourDigits(five - first * 10000), true);
  view.setInt32(at + 6, fourDigits(nanos - five * 10000), true);
  return withoutZeros(bytes, at + 10);
}

/** Appends a finite double. */
export function putNumber(out: Writer, x: number): void {
  reserve(out, NUMBER_WIDTH);
  out.length = writeNumber(out, out.length, x);
}

/** Appends a list of finite doubles, brackets and all. */
export function putNumbers(out: Writer, numbers: ArrayLike<number>): void {
  reserve(out, (numbers.length + 1) * (NUMBER_WIDTH + 1));
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = OPEN;
  for (let i = 0; i < numbers.length; i++) {
    if (i > 0) bytes[at++] = COMMA;
    at = writeNumber(out, at, numbers[i]!);
  }
  bytes[at++] = CLOSE;
  out.length = at;
}
