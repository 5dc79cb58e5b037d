/**
 * Fixed-length windows cut from the steps of a trial.
 *
 * @module
 */

/** Steps `from` to `to` of a trial; as long as the context, or shorter. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * Windows of `context` steps, one every `stride` steps from `offset` on (steps
 * before it are left out); the last one may be shorter, so that no later step is.
 * A trial of fewer steps than the context is one window, without offset.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const cut = windowsOf(10, { context: 4, stride: 4, offset: 1 });
 * deepEqual(cut, [{ from: 1, to: 5 }, { from: 5, to: 9 }, { from: 9, to: 10 }]);
 * ```
 */
export function windowsOf(
  steps: number,
  { context, stride, offset }: {
    readonly context: number;
    readonly stride: number;
    readonly offset: number;
  },
): ReadonlyArray<Window> {
  if (steps <= context) return steps > 0 ? [{ from: 0, to: steps }] : [];
  const windows: Array<Window> = [];
  for (let from = offset; from < steps; from += stride) {
    const to = Math.min(from + context, steps);
    windows.push({ from, to });
    if (to === steps) break;
  }
  return windows;
}
