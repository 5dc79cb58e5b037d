/**
 * The transitions of a task: one row for each rank under uniform play, shared
 * out among the actions by how near to each action's centre a rank is.
 *
 * @module
 */
import { exponential } from "../../kernels/random/distributions.ts";
import type { Generator } from "../../kernels/random/generator.ts";
import { between, clip } from "./draws.ts";
import { drawRow, drawSpan, type Span } from "./structure.ts";

/** Below this, an action does not count as near to a rank at all. */
const FAR = 1e-10;
/** Beyond this exp(-x) is 0. */
const UNDERFLOW = 746;
/**
 * Entries below this at the ends of a row are left out: they are less than the
 * rounding of its sum, and no draw of 53 bits would ever come to them.
 */
const NEVER = 1e-17;

/** K(a, j) = exp(-(c_a - j)² / σ_a²) of one rank; gives its sum over actions. */
function nearness(
  j: number,
  actions: number,
  centres: Float64Array,
  widths: Float64Array,
  near: Float64Array,
): number {
  let sum = 0;
  let closest = 0;
  let least = Infinity;
  for (let a = 0; a < actions; a++) {
    const away = Math.abs(centres[a]! - j);
    if (away < least) {
      least = away;
      closest = a;
    }
    const x = (away / widths[a]!) ** 2;
    sum += near[a] = x > UNDERFLOW ? 0 : Math.exp(-x);
  }
  if (sum >= FAR) return sum;
  sum += 1 - near[closest]!;
  near[closest] = 1;
  return sum;
}

/**
 * Shares `row` (of ranks `from` to `to` - 1) out among actions with the given
 * centres and widths: ρ(a, j) = K(a, j) / Σ_b K(b, j), and P(j | a) is ρ(a, j)
 * row(j) over its sum (equation of section 4.1; since each action's row is made
 * to sum to 1, their mean is not quite `row`). Row `a` is written to `out` from
 * `a * (to - from)` on.
 *
 * @example Two actions, far apart, on two ranks
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const out = new Float64Array(4);
 * const row = Float64Array.of(0.3, 0.7);
 * const centres = Float64Array.of(0, 1);
 * const widths = Float64Array.of(0.01, 0.01);
 * shareOut(row, { from: 0, to: 2 }, 2, centres, widths, out);
 * deepEqual([...out], [1, 0, 0, 1]);
 * ```
 */
export function shareOut(
  row: Float64Array,
  { from, to }: Span,
  actions: number,
  centres: Float64Array,
  widths: Float64Array,
  out: Float64Array,
): void {
  const width = to - from;
  const near = new Float64Array(actions);
  const total = new Float64Array(actions);
  for (let i = 0; i < width; i++) {
    const sum = nearness(from + i, actions, centres, widths, near);
    const scale = row[i]! / sum;
    for (let a = 0; a < actions; a++) {
      const p = near[a]! * scale;
      out[a * width + i] = p;
      total[a] = total[a]! + p;
    }
  }
  for (let a = 0, at = 0; a < actions; a++) {
    const scale = 1 / total[a]!;
    for (const end = at + width; at < end; at++) out[at] = out[at]! * scale;
  }
}

/** Rows of a task, as in `kernels/solvers/banded.ts`. */
export interface Rows {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly offset: Int32Array;
  readonly probability: Float64Array;
}

/** What rows are drawn in, used again and again. */
export interface RowScratch {
  readonly row: Float64Array;
  shared: Float64Array;
  readonly centres: Float64Array;
  readonly widths: Float64Array;
  /** Grows to the largest task drawn. */
  probability: Float64Array;
}

/** Room to draw the rows of tasks of up to `n` ranks. */
export function rowScratch(n: number, actions: number): RowScratch {
  return {
    row: new Float64Array(n),
    shared: new Float64Array(n * actions),
    centres: new Float64Array(actions),
    widths: new Float64Array(actions),
    probability: new Float64Array(1024),
  };
}

/** Copies the part of a row that ever happens to the end of `probability`. */
function keepRow(
  { shared, probability }: RowScratch,
  first: number,
  last: number,
  size: number,
): { readonly low: number; readonly width: number } | undefined {
  let [low, high] = [first, last];
  while (low < high && shared[low]! < NEVER) low++;
  while (high > low && shared[high - 1]! < NEVER) high--;
  let sum = 0;
  for (let i = low, at = size; i < high; i++) {
    sum += probability[at++] = shared[i]!;
  }
  // Also refuses what is not a number.
  return Math.abs(sum - 1) < 1e-9 ? { low, width: high - low } : undefined;
}

function reserve(scratch: RowScratch, size: number): void {
  if (scratch.probability.length >= size) return;
  const larger = new Float64Array(2 * size);
  larger.set(scratch.probability);
  scratch.probability = larger;
}

/**
 * The rows of all ranks; those that end an episode have none. One width for all
 * actions of a rank, as the published program has it, or, with `widthEach`, one
 * for each, as the paper writes. Undefined where a row does not sum to 1.
 */
export function drawRows(
  random: Generator,
  ends: Uint8Array,
  actions: number,
  widthEach: boolean,
  scratch: RowScratch,
): Rows | undefined {
  const n = ends.length;
  const [from, to, offset] = [0, 1, 2].map(() => new Int32Array(n * actions));
  let size = 0;
  for (let s = 0; s < n; s++) {
    if (ends[s]) continue;
    const span = drawSpan(random, ends, s);
    const width = span.to - span.from;
    drawRow(random, n, s, span, scratch.row);
    drawActions(random, span, actions, widthEach, scratch);
    const { row, centres, widths, shared } = scratch;
    shareOut(row, span, actions, centres, widths, shared);
    reserve(scratch, size + width * actions);
    for (let a = 0; a < actions; a++) {
      const kept = keepRow(scratch, a * width, (a + 1) * width, size);
      if (kept === undefined) return undefined;
      const i = s * actions + a;
      from![i] = span.from + kept.low - a * width;
      to![i] = from![i]! + kept.width;
      offset![i] = size;
      size += kept.width;
    }
  }
  return {
    from: from!,
    to: to!,
    offset: offset!,
    probability: scratch.probability,
  };
}

/** Centres U(from - 1, to), widths clip(Exp(1), 0.2, 1.6). */
export function drawActions(
  random: Generator,
  { from, to }: Span,
  actions: number,
  widthEach: boolean,
  { centres, widths }: Pick<RowScratch, "centres" | "widths">,
): void {
  for (let a = 0; a < actions; a++) centres[a] = between(random, from - 1, to);
  const drawWidth = () => clip(exponential(random), 0.2, 1.6);
  if (!widthEach) widths.fill(drawWidth());
  else for (let a = 0; a < actions; a++) widths[a] = drawWidth();
}
