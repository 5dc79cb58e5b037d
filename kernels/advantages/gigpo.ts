/**
 * The step term of GiGPO (Feng and others 2025, arXiv 2505.10978, equation 6):
 * steps of a group that were taken from the same anchor (what the agent saw) are
 * compared by what they returned.
 *
 *     A^S[i] = G[i] - mean of G over the steps of i's anchor
 *
 * divided by (the sample deviation of these + ε) with `normalised`. A step that is
 * alone at its anchor has nothing to be compared with and gets 0, as do all at an
 * anchor that return the same. The whole is A = A^E + w A^S, with A^E centred as
 * `dr-grpo` or, normalised, as `grpo` (`outcome.ts`).
 *
 * @module
 */
import { EPSILON } from "./outcome.ts";

/** What step terms are worked out in; grows to the largest group. */
export interface AnchorScratch {
  count: Float64Array;
  mean: Float64Array;
  squares: Float64Array;
}

export function anchorScratch(): AnchorScratch {
  const none = new Float64Array(0);
  return { count: none, mean: none, squares: none };
}

function sized(array: Float64Array, length: number): Float64Array {
  if (array.length < length) return new Float64Array(2 * length);
  return array.fill(0, 0, length);
}

/**
 * Adds `weight` A^S[i] to `advantages[i]` for the first `rows` steps. `anchors[i]`
 * is which of `anchorCount` anchors a step was taken from; -1 takes no part.
 *
 * @example Two steps from anchor 0, one from anchor 1
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const advantages = new Float64Array(3);
 * const terms = { weight: 1, normalised: false };
 * const returns = Float64Array.of(2, 4, 9);
 * const at = { anchors: Int32Array.of(0, 0, 1), anchorCount: 2, rows: 3 };
 * addStepTerms(returns, at, terms, anchorScratch(), advantages);
 * deepEqual([...advantages], [-1, 1, 0]);
 * ```
 */
export function addStepTerms(
  returns: Float64Array,
  { anchors, anchorCount, rows }: {
    readonly anchors: Int32Array;
    readonly anchorCount: number;
    readonly rows: number;
  },
  { weight, normalised }: {
    readonly weight: number;
    readonly normalised: boolean;
  },
  scratch: AnchorScratch,
  advantages: Float64Array,
): void {
  const count = scratch.count = sized(scratch.count, anchorCount);
  const mean = scratch.mean = sized(scratch.mean, anchorCount);
  const squares = scratch.squares = sized(scratch.squares, anchorCount);
  // Welford's way: equal returns have exactly their mean and no deviation.
  for (let i = 0; i < rows; i++) {
    const k = anchors[i]!;
    if (k < 0) continue;
    const seen = count[k]! + 1;
    const off = returns[i]! - mean[k]!;
    count[k] = seen;
    if (off === 0) continue;
    mean[k] = mean[k]! + off / seen;
    squares[k] = squares[k]! + off * (returns[i]! - mean[k]!);
  }
  for (let i = 0; i < rows; i++) {
    const k = anchors[i]!;
    if (k < 0 || count[k]! < 2) continue;
    let off = weight * (returns[i]! - mean[k]!);
    if (normalised) off /= Math.sqrt(squares[k]! / (count[k]! - 1)) + EPSILON;
    advantages[i] = advantages[i]! + off;
  }
}
