/**
 * What a packed set holds: arrays of windows, by name.
 *
 * @module
 */
import {
  type Blank,
  blankSafetensors,
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

/** Arrays of `windows` x `context`, those of vectors x `width`. */
export interface Arrays {
  readonly observations: Int32Array | Float32Array;
  readonly next_observations: Int32Array | Float32Array;
  readonly actions: Int32Array;
  readonly rewards: Float32Array;
  readonly previous_actions: Int32Array;
  readonly previous_rewards: Float32Array;
  readonly positions: Int32Array;
  readonly labels: Int32Array | undefined;
  readonly tags: Int32Array | undefined;
  readonly floats: { readonly [name in FloatColumn]?: Float32Array };
  readonly previous_ends: Uint8Array;
  readonly starts: Uint8Array;
  readonly ends: Uint8Array;
  readonly mask: Uint8Array;
}

/** What arrays are made for. */
export interface ArraysShape {
  readonly context: number;
  readonly observed: Observed;
  readonly labelled: boolean;
  readonly tagged: boolean;
  readonly columns: ReadonlyArray<FloatColumn>;
}

export function widthOf(observed: Observed): number {
  return observed.kind === "discrete" ? 1 : observed.width;
}

/** The arrays of a file of so many windows; wider elements stand first. */
function blanksOf(
  windows: number,
  { context, observed, labelled, tagged, columns }: ArraysShape,
): { readonly [name: string]: Blank } {
  const shape = [windows, context];
  const seen: Blank = observed.kind === "discrete"
    ? { dtype: "I32", shape }
    : { dtype: "F32", shape: [...shape, observed.width] };
  const integers: Blank = { dtype: "I32", shape };
  const floats: Blank = { dtype: "F32", shape };
  const flags: Blank = { dtype: "U8", shape };
  return {
    observations: seen,
    next_observations: seen,
    actions: integers,
    rewards: floats,
    previous_actions: integers,
    previous_rewards: floats,
    positions: integers,
    ...(labelled && { labels: integers }),
    ...(tagged && { tags: integers }),
    ...Object.fromEntries(columns.map((name) => [name, floats])),
    previous_ends: flags,
    starts: flags,
    ends: flags,
    mask: flags,
  };
}

const METADATA = { schema: PACK_SCHEMA };

/** A file of windows that is being filled. */
export interface PackBlank {
  readonly windows: number;
  /** Views into the file's bytes. */
  readonly arrays: Arrays;
  /** The file's bytes once the first `count` windows are filled. */
  readonly bytes: (count: number) => Uint8Array<ArrayBuffer>;
}

/** A file for so many windows, all of whose cells are to be filled. */
export function packBlank(windows: number, shape: ArraysShape): PackBlank {
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
    // Their types are those that blanksOf() says.
    arrays: {
      ...named((name) => !isColumn(name)),
      floats: named(isColumn),
    } as unknown as Arrays,
    bytes: (count) =>
      count === windows ? bytes : encodeSafetensors(first(count), METADATA),
  };
}
