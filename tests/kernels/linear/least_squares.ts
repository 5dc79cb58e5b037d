/** The best inputs of a linear system with all steps in one system of equations. */

/** Solves a x = b by elimination with pivots; rows of `a` are changed. */
function solve(a: Array<Array<number>>, b: Array<number>): Array<number> {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k; i < n; i++) {
      if (Math.abs(a[i]![k]!) > Math.abs(a[pivot]![k]!)) pivot = i;
    }
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    [b[k], b[pivot]] = [b[pivot]!, b[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j < n; j++) a[i]![j]! -= factor * a[k]![j]!;
      b[i]! -= factor * b[k]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let j = i + 1; j < n; j++) sum -= a[i]![j]! * x[j]!;
    x[i] = sum / a[i]![i]!;
  }
  return x;
}

/**
 * The `size` inputs of least cost. `outputs` says what is seen under inputs, and
 * must be linear in them but for a constant: it is asked once for nothing and
 * once for each input alone.
 */
export function bestInputs(
  outputs: (inputs: Float64Array) => ReadonlyArray<number>,
  targets: ArrayLike<number>,
  size: number,
  weights: { readonly error: number; readonly effort: number },
): Array<number> {
  const none = outputs(new Float64Array(size));
  const effects = Array.from({ length: size }, (_, i) => {
    const alone = new Float64Array(size);
    alone[i] = 1;
    return outputs(alone).map((y, k) => y - none[k]!);
  });
  const missing = none.map((y, k) => targets[k]! - y);
  const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
    a.reduce((sum, x, k) => sum + x * b[k]!, 0);
  const normal = effects.map((own, i) =>
    effects.map((other, j) =>
      weights.error * dot(own, other) + (i === j ? weights.effort : 0)
    )
  );
  return solve(normal, effects.map((own) => weights.error * dot(own, missing)));
}
