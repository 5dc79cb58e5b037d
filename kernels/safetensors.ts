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
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;
export type DType = keyof typeof TYPES;
export type TensorData =
  | Float32Array
  | Float64Array
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
): Uint8Array {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    if (sizeOf(shape) !== data.length) {
      throw new RangeError(
        `${name} has ${data.length} elements, and its shape is ${shape}`,
      );
    }
    const from = offset;
    offset += data.byteLength;
    const entry = {
      dtype: dtypeOf(data),
      shape,
      data_offsets: [from, offset],
    };
    return [name, entry] as const;
  });
  const hasMetadata = Object.keys(metadata).length > 0;
  const json = JSON.stringify({
    ...(hasMetadata && { [METADATA]: metadata }),
    ...Object.fromEntries(entries),
  });
  const text = utf8.encode(json);
  const header = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + header + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header), true);
  bytes.fill(0x20, 8, 8 + header);
  bytes.set(text, 8);
  entries.forEach(([name, { data_offsets: [from] }]) => {
    const { buffer, byteOffset, byteLength } = tensors[name]!.data;
    const own = new Uint8Array(buffer, byteOffset, byteLength);
    bytes.set(own, 8 + header + from!);
  });
  return bytes;
}

function fault(what: string): SafetensorsError {
  return new SafetensorsError(what);
}

/** The header of a file, and where its data begins. */
function headerOf(bytes: Uint8Array) {
  if (bytes.length < 8) throw fault(`has ${bytes.length} bytes, not a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > bytes.length) {
    throw fault(`says that its header has ${length} bytes`);
  }
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  try {
    const header: unknown = JSON.parse(text);
    if (typeof header === "object" && header !== null) {
      return {
        header: header as { [name: string]: unknown },
        data: 8 + length,
      };
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

function readTensor(
  name: string,
  entry: unknown,
  data: Uint8Array,
): Tensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as {
    readonly dtype?: unknown;
    readonly shape?: unknown;
    readonly data_offsets?: unknown;
  };
  const type = Object.hasOwn(TYPES, String(dtype))
    ? TYPES[dtype as DType]
    : undefined;
  if (type === undefined) {
    throw fault(`${name} is of type ${dtype}, not ${Object.keys(TYPES)}`);
  }
  if (!isCounts(shape)) throw fault(`${name} has no shape`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw fault(`${name} has no offsets`);
  }
  const [from, to] = offsets as unknown as readonly [number, number];
  const size = sizeOf(shape);
  const expected = size * type.BYTES_PER_ELEMENT;
  if (to - from !== expected) {
    throw fault(`${name} has ${to - from} bytes, expected ${expected}`);
  }
  if (to > data.length) throw fault(`ends before ${name} does`);
  // A copy: where it stands need not be a multiple of its elements' size.
  const own = data.slice(from, to);
  return { shape, data: new type(own.buffer, 0, size) };
}

/** The tensors of a file; throws {@linkcode SafetensorsError} if it is none. */
export function decodeSafetensors(
  bytes: Uint8Array,
): {
  readonly tensors: Tensors;
  readonly metadata: { readonly [name: string]: string };
} {
  const { header, data: begin } = headerOf(bytes);
  const { [METADATA]: metadata = {}, ...entries } = header;
  const data = bytes.subarray(begin);
  const tensors = Object.entries(entries).map(([name, entry]) =>
    [name, readTensor(name, entry, data)] as const
  );
  return {
    tensors: Object.fromEntries(tensors),
    metadata: metadata as { [name: string]: string },
  };
}
