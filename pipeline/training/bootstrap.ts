/**
 * What the next step of a window is worth to the step before it.
 *
 * @module
 */
import { TASK_START } from "../pack_layout.ts";

/** Discounts of what follows. */
export interface Discounts {
  /** Within an episode. */
  readonly gamma: number;
  /** From the last step of an episode to the next episode of the same trial. */
  readonly gammaTrial: number;
}

/** Steps of windows, `windows * context` of each. */
export interface Bounds {
  readonly starts: Uint8Array;
  readonly ends: Uint8Array;
  readonly mask: Uint8Array;
}

/** Discount of each step's successor, and 1 where its target can be known. */
export interface Bootstrap {
  readonly discount: Float32Array;
  readonly mask: Float32Array;
}

/**
 * The discount d of targets r + d Q(next) for each step of some windows: γ inside
 * an episode; γ of trials at its end, where the next step is of the same trial and
 * task; 0 where the trial ends or the task changes. What follows the last step of
 * a full window is not in it: that step is masked, unless nothing can follow.
 *
 * @example An episode of two steps, then one of a single step; then padding
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { discount, mask } = bootstrapOf({
 *   starts: Uint8Array.of(3, 0, 1, 0),
 *   ends: Uint8Array.of(0, 1, 2, 0),
 *   mask: Uint8Array.of(1, 1, 1, 0),
 * }, 4, { gamma: 0.5, gammaTrial: 0.25 });
 * deepEqual([...discount], [0.5, 0.25, 0, 0]);
 * deepEqual([...mask], [1, 1, 1, 0]);
 * ```
 */
export function bootstrapOf(
  { starts, ends, mask }: Bounds,
  context: number,
  { gamma, gammaTrial }: Discounts,
): Bootstrap {
  const discount = new Float32Array(mask.length);
  const known = Float32Array.from(mask);
  mask.forEach((isThere, i) => {
    if (isThere === 0) return;
    const own = ends[i] === 0 ? gamma : gammaTrial;
    if ((i + 1) % context === 0) {
      // The next step, if there is one, is of another window.
      if (own !== 0) known[i] = 0;
      return;
    }
    const goesOn = mask[i + 1] === 1 && (starts[i + 1]! & TASK_START) === 0;
    if (goesOn) discount[i] = own;
  });
  return { discount, mask: known };
}
