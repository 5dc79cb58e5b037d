/**
 * What a packed set holds: arrays of windows, by name.
 *
 * @module
 */
import type { Tensors } from "../kernels/safetensors.ts";

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
  readonly windows: number;
  readonly observations: Int32Array | Float32Array;
  readonly next_observations: Int32Array | Float32Array;
  readonly actions: Int32Array;
  readonly rewards: Float32Array;
  readonly previous_actions: Int32Array;
  readonly previous_rewards: Float32Array;
  readonly previous_ends: Uint8Array;
  readonly positions: Int32Array;
  readonly starts: Uint8Array;
  readonly ends: Uint8Array;
  readonly mask: Uint8Array;
  readonly labels: Int32Array | undefined;
  readonly tags: Int32Array | undefined;
  readonly floats: { readonly [name in FloatColumn]?: Float32Array };
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

/** Arrays for so many windows, empty: all masked out, no actions. */
export function emptyArrays(windows: number, shape: ArraysShape): Arrays {
  const size = windows * shape.context;
  const seen = () =>
    shape.observed.kind === "discrete"
      ? new Int32Array(size)
      : new Float32Array(size * shape.observed.width);
  const none = () => new Int32Array(size).fill(NONE);
  return {
    windows,
    observations: seen(),
    next_observations: seen(),
    actions: none(),
    rewards: new Float32Array(size),
    previous_actions: none(),
    previous_rewards: new Float32Array(size),
    previous_ends: new Uint8Array(size),
    positions: new Int32Array(size),
    starts: new Uint8Array(size),
    ends: new Uint8Array(size),
    mask: new Uint8Array(size),
    labels: shape.labelled ? none() : undefined,
    tags: shape.tagged ? none() : undefined,
    floats: Object.fromEntries(
      shape.columns.map((name) => [name, new Float32Array(size)]),
    ),
  };
}

/** The first `count` windows, as tensors. */
export function tensorsOf(
  arrays: Arrays,
  count: number,
  { context, observed }: ArraysShape,
): Tensors {
  const { windows: _, floats, ...named } = arrays;
  const cells = count * context;
  const shape = [count, context];
  const width = widthOf(observed);
  const isVector = observed.kind === "vector";
  const entries = Object.entries({ ...named, ...floats }).flatMap(
    ([name, data]) => {
      if (data === undefined) return [];
      const wide = isVector && name.endsWith("observations");
      return [
        [name, {
          shape: wide ? [...shape, width] : shape,
          data: data.subarray(0, wide ? cells * width : cells),
        }] as const,
      ];
    },
  );
  return Object.fromEntries(entries);
}
