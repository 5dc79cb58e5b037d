/**
 * What a model reads of packed windows, whatever it is to learn.
 *
 * @module
 */
import type { Data } from "../../kernels/onnx/graph.ts";
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import { DataError } from "../errors.ts";
import { NONE } from "../pack_layout.ts";
import { gather, hasColumn, type Packs } from "./packs.ts";

/** Inputs of a graph, by name. */
export type Batch = Readonly<Record<string, Data>>;

export const int32 = (length: number): Int32Array => new Int32Array(length);
export const float32 = (length: number): Float32Array =>
  new Float32Array(length);
export const uint8 = (length: number): Uint8Array => new Uint8Array(length);

/** Puts another number in place of none. */
export function instead(column: Int32Array, other: number): Int32Array {
  for (let i = 0; i < column.length; i++) {
    if (column[i] === NONE) column[i] = other;
  }
  return column;
}

/** A column of observations: numbers, or vectors. */
export function seen(
  packs: Packs,
  windows: Int32Array,
  column: string,
  { observations }: TransformerConfig,
): Int32Array | Float32Array {
  return gather<Int32Array | Float32Array>(
    packs,
    windows,
    column,
    typeof observations === "number" ? int32 : float32,
  );
}

/** Tags of steps, those without one as the last row of the model's table. */
function tagsOf(packs: Packs, windows: Int32Array, known: number): Int32Array {
  if (!hasColumn(packs, "tags")) {
    const { context } = packs.description;
    return new Int32Array(windows.length * context).fill(known);
  }
  const tags = instead(gather(packs, windows, "tags", int32), known);
  const wrong = tags.find((tag) => tag < 0 || tag > known);
  if (wrong === undefined) return tags;
  throw new DataError({
    message:
      `Cannot train: the packs hold tag ${wrong}, and tags are 0 to ${known}; --tags off leaves them out`,
  });
}

/** What the model reads of some windows. */
export function readings(
  packs: Packs,
  windows: Int32Array,
  config: TransformerConfig,
): Batch {
  const before = gather(packs, windows, "previous_actions", int32);
  return {
    observation: seen(packs, windows, "observations", config),
    previousAction: instead(before, config.actions),
    previousReward: gather(packs, windows, "previous_rewards", float32),
    previousEnd: Int32Array.from(
      gather(packs, windows, "previous_ends", uint8),
    ),
    ...(config.tags && { tag: tagsOf(packs, windows, config.tags) }),
  };
}
