/** Tests of samples against the laws that they should follow. */
import { ok } from "node:assert/strict";

/**
 * Kolmogorov-Smirnov: the largest distance between the sample's distribution
 * function and `cdf`, times sqrt(n). Under the law it is above 1.95 once in a
 * thousand samples (Kolmogorov 1933); seeds are fixed, so a test that passes
 * once always does.
 */
export function follows(
  sample: ArrayLike<number>,
  cdf: (x: number) => number,
): void {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const p = cdf(sorted[i]!);
    distance = Math.max(distance, Math.abs(p - i / n), (i + 1) / n - p);
  }
  const scaled = distance * Math.sqrt(n);
  ok(scaled < 1.95, `sqrt(n) times the distance is ${scaled}`);
}

/**
 * Pearson's chi-squared against expected counts. Its 0.999 quantile for `k`
 * degrees of freedom is taken from Wilson and Hilferty 1931.
 */
export function matches(
  counts: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  let [chi2, k] = [0, -1];
  for (let i = 0; i < counts.length; i++) {
    if (expected[i] === 0) {
      ok(counts[i] === 0, `cell ${i} cannot happen but did`);
      continue;
    }
    chi2 += (counts[i]! - expected[i]!) ** 2 / expected[i]!;
    k++;
  }
  const limit = k * (1 - 2 / (9 * k) + 3.0902 * Math.sqrt(2 / (9 * k))) ** 3;
  ok(chi2 < limit, `chi-squared is ${chi2}, limit ${limit} for ${k}`);
}

/** A mean within `limit` standard errors of what it should be. */
export function near(
  measured: { readonly mean: number; readonly se: number },
  wanted: number,
  wantedSe: number = 0,
  limit: number = 4,
): void {
  const apart = Math.abs(measured.mean - wanted);
  const se = Math.hypot(measured.se, wantedSe);
  ok(
    apart <= limit * se,
    `${measured.mean} is ${apart / se} standard errors (${se}) from ${wanted}`,
  );
}

/** The normal distribution function, by its own series and continued fraction. */
export function normalCdf(x: number): number {
  const z = Math.abs(x);
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  if (z > 5) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / (z + fraction);
    const tail = density / (z + fraction);
    return x > 0 ? 1 - tail : tail;
  }
  let [term, sum] = [z, z];
  for (let k = 1; k < 120; k++) sum += term *= z * z / (2 * k + 1);
  return 0.5 + Math.sign(x) * density * sum;
}

/** The gamma distribution function of `shape`, by the series of Pearson. */
export function gammaCdf(shape: number, x: number): number {
  if (x <= 0) return 0;
  let [term, sum] = [1 / shape, 1 / shape];
  for (let k = 1; k < 2000; k++) {
    term *= x / (shape + k);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return Math.min(
    1,
    sum * Math.exp(-x + shape * Math.log(x) - logGamma(shape)),
  );
}

/** Stirling's series, after going up to where it is exact to 1e-12. */
export function logGamma(x: number): number {
  let [z, shift] = [x, 0];
  while (z < 12) shift += Math.log(z++);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series -
    shift;
}

/** The beta distribution function, by the hypergeometric series. */
export function betaCdf(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > 0.5) return 1 - betaCdf(b, a, 1 - x);
  let [term, sum] = [1, 1 / a];
  for (let k = 1; k < 2000; k++) {
    term *= x * (k - b) / k;
    sum += term / (a + k);
  }
  const log = a * Math.log(x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return Math.exp(log) * sum;
}
