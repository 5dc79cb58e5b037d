/** Pearson's statistic for counts that should be spread as `shares` says. */
export function chiSquared(
  counts: ReadonlyArray<number>,
  shares: ReadonlyArray<number>,
): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((sum, count, i) => {
    const expected = total * shares[i]!;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}
