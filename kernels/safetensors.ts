/**
 * The safetensors format: named arrays in one file, as Hugging Face's library reads
 * and writes them. Eight bytes of length (little-endian), a header of JSON padded by
 * spaces to a multiple of eight, then the arrays without gaps.
 *
 * @module
 */

/** Types of elements, by the format's names. */
const TYPES = {
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  I16: Int16Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;
export type DType = keyof typeof TYPES;
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array;

/** An array and how it is laid out, row-major. */
export interface Tensor {
  readonly shape: ReadonlyArray<number>;
  readonly data: TensorData;
}

export type Tensors = { readonly [name: string]: Tensor };

/** A file that is not what the format says. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

const METADATA = "__metadata__";
const LARGEST_HEADER = 100_000_000;
const utf8 = new TextEncoder();

function dtypeOf(data: TensorData): DType {
  for (const [name, type] of Object.entries(TYPES)) {
    if (data instanceof type) return name as DType;
  }
  throw new TypeError("no type of safetensors");
}

function sizeOf(shape: ReadonlyArray<number>): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** A tensor's type and shape, without its data. */
export interface Blank {
  readonly dtype: DType;
  readonly shape: ReadonlyArray<number>;
}

/** Bytes that an array takes. */
export function bytesOf({ dtype, shape }: Blank): number {
  return sizeOf(shape) * TYPES[dtype].BYTES_PER_ELEMENT;
}

/** A file's bytes with its header alone written, and where each array begins. */
function framed(
  blanks: ReadonlyArray<readonly [string, Blank]>,
  metadata: { readonly [name: string]: string },
): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly begins: ReadonlyArray<number>;
} {
  let offset = 0;
  const entries = blanks.map(([name, { dtype, shape }]) => {
    const from = offset;
    offset += bytesOf({ dtype, shape });
    return [name, { dtype, shape, data_offsets: [from, offset] }] as const;
  });
  const hasMetadata = Object.keys(metadata).length > 0;
  const json = JSON.stringify({
    ...(hasMetadata && { [METADATA]: metadata }),
    ...Object.fromEntries(entries),
  });
  const text = utf8.encode(json);
  const begin = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(begin + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(begin - 8), true);
  bytes.fill(0x20, 8, begin);
  bytes.set(text, 8);
  const begins = entries.map(([, { data_offsets }]) =>
    begin + data_offsets[0]!
  );
  return { bytes, begins };
}

/**
 * The bytes of tensors, in the order given, and of metadata (texts alone).
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const w = { shape: [2, 1], data: Float32Array.of(1, 2) };
 * const bytes = encodeSafetensors({ w }, { made: "here" });
 * deepEqual(decodeSafetensors(bytes), { tensors: { w }, metadata: { made: "here" } });
 * ```
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: { readonly [name: string]: string } = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors);
  const blanks = entries.map(([name, { shape, data }]) => {
    if (sizeOf(shape) !== data.length) {
      throw new RangeError(
        `${name} has ${data.length} elements, and its shape is ${shape}`,
      );
    }
    return [name, { dtype: dtypeOf(data), shape }] as const;
  });
  const { bytes, begins } = framed(blanks, metadata);
  entries.forEach(([, { data }], i) => {
    const { buffer, byteOffset, byteLength } = data;
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), begins[i]!);
  });
  return bytes;
}

/**
 * A whole file of zeros, to be filled where it lies: its bytes, and the tensors as
 * views into them. Those of wider elements come first, so that all stand at multiples
 * of their size.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { bytes, tensors } = blankSafetensors({ w: { dtype: "F32", shape: [2] } });
 * (tensors["w"]!.data as Float32Array).set([1, 2]);
 * const w = { shape: [2], data: Float32Array.of(1, 2) };
 * deepEqual(bytes, encodeSafetensors({ w }));
 * ```
 */
export function blankSafetensors(
  blanks: { readonly [name: string]: Blank },
  metadata: { readonly [name: string]: string } = {},
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly tensors: Tensors } {
  const size = ({ dtype }: Blank) => TYPES[dtype].BYTES_PER_ELEMENT;
  const entries = Object.entries(blanks).sort(([, a], [, b]) =>
    size(b) - size(a)
  );
  const { bytes, begins } = framed(entries, metadata);
  const tensors = entries.map(([name, { dtype, shape }], i) => {
    const data = new TYPES[dtype](bytes.buffer, begins[i]!, sizeOf(shape));
    return [name, { shape, data }] as const;
  });
  return { bytes, tensors: Object.fromEntries(tensors) };
}

function fault(what: string): SafetensorsError {
  return new SafetensorsError(what);
}

/** Where an array stands in a file: its bytes `from` to before `to`. */
export interface Place {
  readonly dtype: DType;
  readonly shape: ReadonlyArray<number>;
  readonly from: number;
  readonly to: number;
}

/** An array of so many elements of a type, zeros. */
export function arrayOf(dtype: DType, length: number): TensorData {
  return new TYPES[dtype](length);
}

/**
 * Where the header of a file ends, by the file's first eight bytes and its size.
 *
 * @throws SafetensorsError if that cannot be.
 */
export function headerEnd(start: Uint8Array, size: number): number {
  if (size < 8) throw fault(`has ${size} bytes, not a header`);
  const view = new DataView(start.buffer, start.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > size) {
    throw fault(`says that its header has ${length} bytes`);
  }
  return 8 + length;
}

function headerOf(bytes: Uint8Array): { readonly [name: string]: unknown } {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof header === "object" && header !== null) {
      return header as { readonly [name: string]: unknown };
    }
  } catch {
    // Said below.
  }
  throw fault("has a header that is no JSON object");
}

function isCounts(value: unknown): value is ReadonlyArray<number> {
  return Array.isArray(value) &&
    value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function placeOf(
  name: string,
  entry: unknown,
  begin: number,
  size: number,
): Place {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as {
    readonly dtype?: unknown;
    readonly shape?: unknown;
    readonly data_offsets?: unknown;
  };
  if (!Object.hasOwn(TYPES, String(dtype))) {
    throw fault(`${name} is of type ${dtype}, not ${Object.keys(TYPES)}`);
  }
  if (!isCounts(shape)) throw fault(`${name} has no shape`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw fault(`${name} has no offsets`);
  }
  const [from, to] = offsets as unknown as readonly [number, number];
  const type = TYPES[dtype as DType];
  const expected = sizeOf(shape) * type.BYTES_PER_ELEMENT;
  if (to - from !== expected) {
    throw fault(`${name} has ${to - from} bytes, expected ${expected}`);
  }
  if (begin + to > size) throw fault(`ends before ${name} does`);
  return { dtype: dtype as DType, shape, from: begin + from, to: begin + to };
}

/**
 * Where the arrays of a file stand, by its bytes up to {@linkcode headerEnd} (or
 * more) and its size: enough to read parts of files that do not fit into memory.
 *
 * @throws SafetensorsError if the file is none, or too short for what it names.
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const w = { shape: [2, 1], data: Float32Array.of(1, 2) };
 * const bytes = encodeSafetensors({ w });
 * const { from, to } = layoutOf(bytes, bytes.length).places["w"]!;
 * deepEqual([...new Float32Array(bytes.slice(from, to).buffer)], [1, 2]);
 * ```
 */
export function layoutOf(
  bytes: Uint8Array,
  size: number,
): {
  readonly places: { readonly [name: string]: Place };
  readonly metadata: { readonly [name: string]: string };
} {
  const begin = headerEnd(bytes, size);
  const header = headerOf(bytes.subarray(8, begin));
  const { [METADATA]: metadata = {}, ...entries } = header;
  const places = Object.entries(entries).map(([name, entry]) =>
    [name, placeOf(name, entry, begin, size)] as const
  );
  return {
    places: Object.fromEntries(places),
    metadata: metadata as { [name: string]: string },
  };
}

/** The tensors of a file; throws {@linkcode SafetensorsError} if it is none. */
export function decodeSafetensors(
  bytes: Uint8Array,
): {
  readonly tensors: Tensors;
  readonly metadata: { readonly [name: string]: string };
} {
  const { places, metadata } = layoutOf(bytes, bytes.length);
  const tensors = Object.entries(places).map(
    ([name, { dtype, shape, from, to }]) => {
      // A copy: where it stands need not be a multiple of its elements' size.
      const { buffer } = bytes.slice(from, to);
      return [name, {
        shape,
        data: new TYPES[dtype](buffer, 0, sizeOf(shape)),
      }] as const;
    },
  );
  return { tensors: Object.fromEntries(tensors), metadata };
}
