/**
 * How different the trajectories of one task are.
 *
 * @module
 */

/** Entropies of a sample, in nats. */
export interface Diversity {
  /** M, the size of the sample. */
  readonly samples: number;
  /** K, how many different keys it holds. */
  readonly distinct: number;
  /** H = -Σ p̂ ln p̂ over the different keys, p̂ their shares of the sample. */
  readonly entropy: number;
  /** H / ln M, in [0, 1]: 1 where all keys differ; 0 for a sample of one. */
  readonly normalised: number;
  /** H + (K - 1) / (2 M), less biased downwards (Miller 1955, Madow). */
  readonly corrected: number;
}

/**
 * The entropy of a sample of M >= 1 keys; a RangeError for none. Keys are equal
 * where `===` says so; a trajectory's is a digest of what it saw and did.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const { entropy, corrected } = entropyOf([7, 7, 9, 9]);
 * equal(entropy, Math.log(2));
 * equal(corrected, Math.log(2) + 1 / 8);
 * ```
 */
export function entropyOf(keys: ArrayLike<number | string>): Diversity {
  const samples = keys.length;
  if (samples === 0) throw new RangeError("Cannot take the entropy of no keys");
  const counts = new Map<number | string, number>();
  for (let i = 0; i < samples; i++) {
    counts.set(keys[i]!, (counts.get(keys[i]!) ?? 0) + 1);
  }
  let entropy = 0;
  for (const count of counts.values()) {
    entropy += count / samples * Math.log(samples / count);
  }
  return {
    samples,
    distinct: counts.size,
    entropy,
    normalised: samples === 1 ? 0 : entropy / Math.log(samples),
    corrected: entropy + (counts.size - 1) / (2 * samples),
  };
}
