/**
 * NumPy's array files (NPY), for one-dimensional arrays of numbers.
 *
 * The format is NumPy's own, `numpy.lib.format`: a magic string, a version, the
 * length of a header, the header (a Python dictionary as text, padded so that
 * the data starts at a multiple of 64 bytes), then the data.
 *
 * @module
 */

/** How an entry is stored, as NumPy writes it: byte order, kind, bytes. */
export type NpyType = keyof typeof READERS;

/** A one-dimensional array, read. */
export interface NpyVector {
  readonly type: NpyType;
  /** Shape (n,). Every type but 64-bit integers fits exactly; these are checked. */
  readonly values: Float64Array;
}

/** The bytes are not an NPY file that can be read here; says why. */
export class NpyError extends Error {
  override readonly name = "NpyError";
}

const MAGIC = "\x93NUMPY";
/** Magic, version and the header's length, which is of 2 bytes in version 1. */
const PREFIX = 10;
/** The first multiple of 64 that a header of one axis fits into. */
const DATA = 128;
const latin1 = new TextDecoder("latin1");

/** Reads the entry at a byte offset. */
type Reader = (view: DataView, at: number) => number;

function exact(integer: bigint): number {
  const value = Number(integer);
  if (Number.isSafeInteger(value)) return value;
  throw new NpyError(`${integer} is beyond 2^53: a double cannot hold it`);
}

const READERS = {
  "|u1": (view, at) => view.getUint8(at),
  "<u4": (view, at) => view.getUint32(at, true),
  "<i4": (view, at) => view.getInt32(at, true),
  "<u8": (view, at) => exact(view.getBigUint64(at, true)),
  "<i8": (view, at) => exact(view.getBigInt64(at, true)),
  "<f4": (view, at) => view.getFloat32(at, true),
  "<f8": (view, at) => view.getFloat64(at, true),
} as const satisfies { readonly [type: string]: Reader };

function isKnown(type: string): type is NpyType {
  return Object.hasOwn(READERS, type);
}

function header(type: NpyType, length: number): Uint8Array {
  const dictionary =
    `{'descr': '${type}', 'fortran_order': False, 'shape': (${length},), }`;
  const padded = dictionary.padEnd(DATA - PREFIX - 1) + "\n";
  const bytes = Uint8Array.from(
    MAGIC + "\x01\x00\x00\x00" + padded,
    (character) => character.charCodeAt(0),
  );
  new DataView(bytes.buffer).setUint16(PREFIX - 2, padded.length, true);
  return bytes;
}

/**
 * The bytes that `numpy.save` writes for the same array: version 1.0, shape (n,),
 * C order, little-endian.
 *
 * @param values Shape (n,): unsigned 32-bit integers or 32-bit floats.
 */
export function encodeNpy(values: Uint32Array | Float32Array): Uint8Array {
  const isFloat = values instanceof Float32Array;
  const head = header(isFloat ? "<f4" : "<u4", values.length);
  const bytes = new Uint8Array(head.length + values.byteLength);
  bytes.set(head);
  const view = new DataView(bytes.buffer, head.length);
  if (isFloat) values.forEach((x, i) => view.setFloat32(4 * i, x, true));
  else values.forEach((n, i) => view.setUint32(4 * i, n, true));
  return bytes;
}

/** Where the header's text stands, by version. */
function headerSpan(view: DataView): readonly [number, number] {
  const major = view.getUint8(MAGIC.length);
  if (major < 1 || major > 3) {
    throw new NpyError(`NPY version ${major} is not known`);
  }
  const from = major === 1 ? PREFIX : PREFIX + 2;
  if (view.byteLength < from) throw new NpyError("it ends in its header");
  const at = MAGIC.length + 2;
  const length = major === 1
    ? view.getUint16(at, true)
    : view.getUint32(at, true);
  if (view.byteLength < from + length) {
    throw new NpyError("it ends in its header");
  }
  return [from, from + length];
}

/** The value of a key in the header, as text. */
function field(text: string, key: string, value: RegExp): string {
  const pattern = new RegExp(`['"]${key}['"]\\s*:\\s*(${value.source})`);
  const found = pattern.exec(text)?.[1];
  if (found !== undefined) return found;
  throw new NpyError(`its header has no ${key}`);
}

function typeOf(text: string): NpyType {
  const descr = field(text, "descr", /'[^']*'|"[^"]*"|[^,}]*/);
  const type = descr.slice(1, -1);
  if (isKnown(type)) return type;
  const known = Object.keys(READERS).join(", ");
  throw new NpyError(`its dtype is ${descr.trim()}, not one of ${known}`);
}

/** Entries of the one axis; Python 2 wrote `5L`. */
function lengthOf(text: string): number {
  const shape = field(text, "shape", /\([^)]*\)/);
  const length = /^\(\s*(\d+)L?\s*,\s*\)$/.exec(shape)?.[1];
  if (length !== undefined) return Number(length);
  throw new NpyError(`its shape is ${shape}, not of one axis`);
}

/**
 * The array in the bytes of an NPY file of version 1.0, 2.0 or 3.0. Fortran's
 * order and C's are one for one axis.
 *
 * @throws {NpyError} where it is not one, is cut off, has another number of axes
 * or another type, or holds integers beyond 2^53.
 */
export function decodeNpy(bytes: Uint8Array): NpyVector {
  const isNpy = bytes.length >= PREFIX &&
    [...MAGIC].every((character, i) => bytes[i] === character.charCodeAt(0));
  if (!isNpy) throw new NpyError("it is not an NPY file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [from, to] = headerSpan(view);
  const text = latin1.decode(bytes.subarray(from, to));
  const [type, length] = [typeOf(text), lengthOf(text)];
  const width = Number(type[2]);
  const held = bytes.length - to;
  if (held !== length * width) {
    throw new NpyError(
      `it has ${held} bytes of data, expected ${
        length * width
      } for ${length} entries`,
    );
  }
  const values = new Float64Array(length);
  const read: Reader = READERS[type];
  for (let i = 0; i < length; i++) values[i] = read(view, to + width * i);
  return { type, values };
}
