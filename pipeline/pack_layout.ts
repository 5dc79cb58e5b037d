/**
 * What a packed set holds: arrays of windows, by name.
 *
 * @module
 */
import {
  type Blank,
  blankSafetensors,
  bytesOf,
  type DType,
  encodeSafetensors,
} from "../kernels/safetensors.ts";

export const PACK_SCHEMA = "retrial/pack@1";
/** Where the description of a packed set stands. */
export const PACK_FILE = "pack.json";

/** Bits of `starts`: the first step of an episode, and of a trial or a new task. */
export const EPISODE_START = 1;
export const TASK_START = 2;
/** Of `ends`. */
export const ENDS_TERMINATED = 1;
export const ENDS_TRUNCATED = 2;
/** What stands where there is no action, label or tag. */
export const NONE = -1;

/** Integer observations below a number, or vectors of a length. */
export type Observed =
  | { readonly kind: "discrete"; readonly n: number }
  | { readonly kind: "vector"; readonly width: number };

/** Columns of floats that rows may have, one a step. */
export const FLOATS = ["returns", "advantages", "logprobs"] as const;
export type FloatColumn = typeof FLOATS[number];

/** What `pack.json` says. */
export interface PackDescription {
  readonly schema: typeof PACK_SCHEMA;
  readonly context: number;
  readonly stride: number;
  readonly windows: number;
  /** Steps that are not padding. */
  readonly steps: number;
  readonly observations: Observed;
  readonly actions: number;
  /** The reference that labels are of, if there are any. */
  readonly label?: string;
  readonly tags: boolean;
  readonly columns: ReadonlyArray<FloatColumn>;
  readonly files: ReadonlyArray<{
    readonly file: string;
    readonly windows: number;
    readonly bytes: number;
    readonly sha256: string;
  }>;
  readonly inputs: ReadonlyArray<{
    readonly file: string;
    readonly bytes: number;
    readonly sha256: string;
  }>;
  readonly code: { readonly version: string; readonly commit: string };
}

/** Integers as narrow as they may be. */
export type Integers = Int8Array | Int16Array | Int32Array;

/** Arrays of `windows` x `context`, those of vectors x `width`. */
export interface Arrays {
  readonly observations: Integers | Float32Array;
  readonly next_observations: Integers | Float32Array;
  readonly actions: Integers;
  readonly rewards: Float32Array;
  readonly previous_actions: Integers;
  readonly previous_rewards: Float32Array;
  readonly positions: Integers;
  readonly labels: Integers | undefined;
  readonly tags: Int32Array | undefined;
  readonly floats: { readonly [name in FloatColumn]?: Float32Array };
  readonly previous_ends: Uint8Array;
  readonly starts: Uint8Array;
  readonly ends: Uint8Array;
  readonly mask: Uint8Array;
}

/** All arrays that there are, by name. */
export function arraysIn(
  { floats, labels, tags, ...rest }: Arrays,
): Record<string, Integers | Float32Array | Uint8Array> {
  return {
    ...rest,
    ...(labels && { labels }),
    ...(tags && { tags }),
    ...floats,
  };
}

/** What arrays are made for. */
export interface ArraysShape {
  readonly context: number;
  readonly observed: Observed;
  /** Actions and labels are below the first, positions below the second. */
  readonly actions: number;
  readonly positions: number;
  readonly labelled: boolean;
  readonly tagged: boolean;
  readonly columns: ReadonlyArray<FloatColumn>;
}

export function widthOf(observed: Observed): number {
  return observed.kind === "discrete" ? 1 : observed.width;
}

/** The narrowest type of integers -1 to before `n`. */
function integersBelow(n: number): DType {
  if (n <= 2 ** 7) return "I8";
  return n <= 2 ** 15 ? "I16" : "I32";
}

function bound(observed: Observed): number {
  return observed.kind === "discrete" ? observed.n : 0;
}

/** Whether arrays of one shape have the types that another needs. */
export function suits(shape: ArraysShape, needed: ArraysShape): boolean {
  const isSame = (a: number, b: number) =>
    integersBelow(a) === integersBelow(b);
  return isSame(bound(shape.observed), bound(needed.observed)) &&
    isSame(shape.actions, needed.actions) &&
    isSame(shape.positions, needed.positions);
}

/** A shape whose types hold what those of two do. */
export function widened(a: ArraysShape, b: ArraysShape): ArraysShape {
  const observed: Observed = a.observed.kind === "discrete"
    ? { kind: "discrete", n: Math.max(bound(a.observed), bound(b.observed)) }
    : a.observed;
  return {
    ...a,
    observed,
    actions: Math.max(a.actions, b.actions),
    positions: Math.max(a.positions, b.positions),
  };
}

/** The arrays of a file of so many windows. */
function blanksOf(windows: number, wanted: ArraysShape): {
  readonly [name: string]: Blank;
} {
  const { context, observed, labelled, tagged, columns } = wanted;
  const shape = [windows, context];
  const below = (n: number): Blank => ({ dtype: integersBelow(n), shape });
  const seen: Blank = observed.kind === "discrete"
    ? below(observed.n)
    : { dtype: "F32", shape: [...shape, observed.width] };
  const integers = below(wanted.actions);
  const floats: Blank = { dtype: "F32", shape };
  const flags: Blank = { dtype: "U8", shape };
  return {
    observations: seen,
    next_observations: seen,
    actions: integers,
    rewards: floats,
    previous_actions: integers,
    previous_rewards: floats,
    positions: below(wanted.positions),
    ...(labelled && { labels: integers }),
    ...(tagged && { tags: { dtype: "I32", shape } }),
    ...Object.fromEntries(columns.map((name) => [name, floats])),
    previous_ends: flags,
    starts: flags,
    ends: flags,
    mask: flags,
  };
}

/** Bytes of a file, about. */
const FILE_BYTES = 2 ** 24;

/** Windows of a file of so many bytes. */
function windowsOf(shape: ArraysShape, most: number): number {
  const blanks = Object.values(blanksOf(1, shape));
  const each = blanks.reduce((sum, blank) => sum + bytesOf(blank), 0);
  return Math.max(1, Math.floor(most / each));
}

const METADATA = { schema: PACK_SCHEMA };

/** Arrays of windows that are being filled; plain data. */
export interface Filled {
  /** How many there is room for. */
  readonly windows: number;
  /** What they were made for. */
  readonly shape: ArraysShape;
  /** Views into one buffer. */
  readonly arrays: Arrays;
}

/** One of those to be filled anew whose types suit; others before it are let go. */
export function reused<Lot extends Filled>(
  free: Array<Lot>,
  shape: ArraysShape,
): Lot | undefined {
  for (let lot = free.pop(); lot; lot = free.pop()) {
    if (suits(lot.shape, shape)) return lot;
  }
  return undefined;
}

/** The buffer that arrays are views into. */
export function bufferOf({ arrays }: Filled): ArrayBuffer {
  // It is packBlank() that makes them, or a thread that was handed them.
  return arrays.mask.buffer as ArrayBuffer;
}

/** A file of windows that is being filled. */
export interface PackBlank extends Filled {
  /** The file's bytes once the first `count` windows are filled. */
  readonly bytes: (count: number) => Uint8Array<ArrayBuffer>;
}

/** A file, of about 16 MiB if not told otherwise, all of whose cells are to be filled. */
export function packBlank(shape: ArraysShape, most = FILE_BYTES): PackBlank {
  const windows = windowsOf(shape, most);
  const { bytes, tensors } = blankSafetensors(
    blanksOf(windows, shape),
    METADATA,
  );
  const named = (wanted: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, { data }]) =>
        wanted(name) ? [[name, data]] : []
      ),
    );
  const isColumn = (name: string) => shape.columns.some((own) => own === name);
  const first = (count: number) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { shape: [, ...rest], data }]) => {
        const cells = rest.reduce((a, b) => a * b, count);
        const tensor = {
          shape: [count, ...rest],
          data: data.subarray(0, cells),
        };
        return [name, tensor];
      }),
    );
  return {
    windows,
    shape,
    // Their types are those that blanksOf() says.
    arrays: {
      ...named((name) => !isColumn(name)),
      floats: named(isColumn),
    } as unknown as Arrays,
    bytes: (count) =>
      count === windows ? bytes : encodeSafetensors(first(count), METADATA),
  };
}
