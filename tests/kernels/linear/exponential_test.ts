import { deepEqual, ok, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import {
  held,
  matrixExponential,
} from "../../../kernels/linear/exponential.ts";
import { identity, product, rowNorm } from "../../../kernels/linear/matrix.ts";
import { normal } from "../../../kernels/random/distributions.ts";
import { generator } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { missing } from "../../peers.ts";

function near(
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
): void {
  const scale = Math.max(1, ...Array.from(wanted, Math.abs));
  for (let i = 0; i < wanted.length; i++) {
    const apart = Math.abs(found[i]! - wanted[i]!) / scale;
    ok(apart <= tolerance, `${i}: ${found[i]} is not ${wanted[i]}`);
  }
}

function randomMatrix(seed: number, n: number, scale: number): Float64Array {
  const random = generator(rootKey(seed));
  return Float64Array.from({ length: n * n }, () => scale * normal(random));
}

const sized = fc.record({
  seed: fc.nat(1e6),
  n: fc.integer({ min: 1, max: 12 }),
  scale: fc.double({ min: 1e-6, max: 2, noNaN: true }),
});

Deno.test("matrixExponential() of a diagonal is the exponentials on it", () => {
  const entries = [0, 1, -1, 0.001, -30, 5];
  const diagonal = new Float64Array(36);
  entries.forEach((x, i) => diagonal[i * 7] = x);
  const found = matrixExponential(diagonal, 6);
  entries.forEach((x, i) => {
    const apart = found[i * 7]! / Math.exp(x) - 1;
    ok(Math.abs(apart) < 1e-12, `e^${x} is off by ${apart}`);
  });
  deepEqual(found.filter((x) => x !== 0).length, 6);
});

Deno.test("matrixExponential() of a nilpotent is its finite series", () => {
  // A step up a ladder of 5: its powers are further steps, the fifth is nothing.
  const ladder = new Float64Array(25);
  for (let i = 0; i < 4; i++) ladder[i * 5 + i + 1] = 3;
  const factorial = [1, 1, 2, 6, 24];
  const wanted = Float64Array.from({ length: 25 }, (_, at) => {
    const k = at % 5 - Math.floor(at / 5);
    return k < 0 ? 0 : 3 ** k / factorial[k]!;
  });
  near(matrixExponential(ladder, 5), wanted, 1e-14);
});

Deno.test("matrixExponential() of a turn turns", () => {
  for (const angle of [0.1, 2, 20]) {
    const turn = Float64Array.of(0, -angle, angle, 0);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    near(matrixExponential(turn, 2), [cos, -sin, sin, cos], 1e-13);
  }
});

Deno.test("matrixExponential() of a and of -a undo each other", () => {
  fc.assert(fc.property(sized, ({ seed, n, scale }) => {
    const a = randomMatrix(seed, n, scale);
    const [there, back] = [a, a.map((x) => -x)].map((m) =>
      matrixExponential(m, n)
    );
    // Errors are relative to the norms, which may be large.
    const room = rowNorm(there!, n) * rowNorm(back!, n);
    near(product(there!, back!, n, n, n), identity(n), 1e-14 * room * n);
  }));
});

Deno.test("matrixExponential() of twice a is that of a, twice", () => {
  fc.assert(fc.property(sized, ({ seed, n, scale }) => {
    const a = randomMatrix(seed, n, scale);
    const once = matrixExponential(a, n);
    const twice = matrixExponential(a.map((x) => 2 * x), n);
    near(product(once, once, n, n, n), twice, 1e-11);
  }));
});

Deno.test("matrixExponential() refuses what is not finite", () => {
  for (const x of [NaN, Infinity]) {
    throws(() => matrixExponential(Float64Array.of(x, 0, 0, 1), 2), RangeError);
  }
});

/** By eigenvectors, which is another way altogether. */
const PROGRAM = `
import json, sys, numpy as np
out = []
for a in json.loads(sys.argv[1]):
    n = int(len(a) ** 0.5)
    w, v = np.linalg.eig(np.array(a).reshape(n, n))
    out.append((v @ np.diag(np.exp(w)) @ np.linalg.inv(v)).real.ravel().tolist())
print(json.dumps(out))`;

const python = fileURLToPath(
  new URL("../../../.venv/bin/python", import.meta.url),
);
const why = missing("numpy");

Deno.test({
  name: `matrixExponential() agrees with numpy's eigenvectors${
    why ? ` (skipped: ${why})` : ""
  }`,
  ignore: why !== undefined,
  fn() {
    const sizes = [1, 2, 3, 5, 8, 13, 20];
    const matrices = sizes.map((n) => randomMatrix(n, n, 1.5));
    const { stdout } = new Deno.Command(python, {
      args: ["-c", PROGRAM, JSON.stringify(matrices.map((m) => [...m]))],
    }).outputSync();
    const theirs: Array<Array<number>> = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    theirs.forEach((wanted, i) =>
      near(matrixExponential(matrices[i]!, sizes[i]!), wanted, 1e-11)
    );
  },
});

Deno.test("held() is where small steps of Runge and Kutta lead", () => {
  const [n, m, time] = [5, 2, 0.7];
  const random = generator(rootKey(9));
  const draw = (length: number) =>
    Float64Array.from({ length }, () => normal(random));
  const motion = {
    states: n,
    inputs: m,
    a: draw(n * n),
    b: draw(n * m),
    c: draw(n),
  };
  const [start, input] = [draw(n), draw(m)];
  const flow = (
    { a, b, c }: { a: Float64Array; b: Float64Array; c: Float64Array },
    x: Float64Array,
  ) => {
    const [own, driven] = [product(a, x, n, n, 1), product(b, input, n, m, 1)];
    return c.map((drift, i) => drift + own[i]! + driven[i]!);
  };
  const along = (x: Float64Array, by: Float64Array, h: number) =>
    x.map((value, i) => value + h * by[i]!);
  let x = start;
  const h = time / 2000;
  for (let i = 0; i < 2000; i++) {
    const k1 = flow(motion, x);
    const k2 = flow(motion, along(x, k1, h / 2));
    const k3 = flow(motion, along(x, k2, h / 2));
    const k4 = flow(motion, along(x, k3, h));
    x = x.map((value, j) =>
      value + h / 6 * (k1[j]! + 2 * k2[j]! + 2 * k3[j]! + k4[j]!)
    );
  }
  near(flow(held(motion, time), start), x, 1e-11);
});
