import { deepEqual, ok } from "node:assert/strict";
import { gradients } from "../../../kernels/onnx/gradients.ts";
import { Graph } from "../../../kernels/onnx/graph.ts";
import { reduceSum, square, sub } from "../../../kernels/onnx/operators.ts";
import {
  adamInputs,
  type AdamOptions,
  adamState,
  adamW,
  constant,
  cosine,
  noam,
} from "../../../kernels/onnx/optimiser.ts";
import { initialise, weightsIn } from "../../../kernels/onnx/parameters.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { peerTest, python } from "../../peers.ts";
import golden from "../../vectors/anymdp.json" with { type: "json" };

Deno.test("noam() gives OmniRL's factors", () => {
  const { base_lr, warmup, factor } = golden.noam_lr;
  const schedule = noam(base_lr, warmup);
  for (const [update, wanted] of Object.entries(factor)) {
    const found = schedule(Number(update)) / base_lr;
    ok(Math.abs(found - wanted) < 1e-15, `${update}: ${found}`);
  }
});

Deno.test("constant() and cosine() warm up", () => {
  deepEqual([1, 2, 4, 9].map(constant(8, 4)), [2, 4, 8, 8]);
  deepEqual([1, 9].map(constant(8)), [8, 8]);
  const schedule = cosine(1, { warmUp: 4, total: 8 });
  const wanted = [0.25, 1, 0.5, 0, 0];
  [1, 4, 6, 8, 100].forEach((update, i) =>
    ok(Math.abs(schedule(update) - wanted[i]!) < 1e-15)
  );
});

const PARAMETERS = [
  { name: "w", shape: [3, 2], first: { normal: 1 }, decays: true },
  { name: "b", shape: [2], first: { normal: 1 }, decays: false },
];
const WEIGHTS = initialise(PARAMETERS, rootKey("9"));

/** Weights after updates on Σ (w - c)² + Σ (b - c)², c anew at each batch. */
async function trained(
  options: AdamOptions,
  targets: ReadonlyArray<number>,
): Promise<{ readonly w: number[]; readonly b: number[]; norms: number[] }> {
  const graph = new Graph();
  const lookup = weightsIn(graph, PARAMETERS);
  const target = graph.input("c", "float32", []);
  const weights = PARAMETERS.map(({ name }) => lookup(name));
  const [w, b] = weights.map((x) => reduceSum(square(sub(x, target))));
  const loss = reduceSum(sub(w!, sub(graph.scalar(0), b!)));
  const slopes = gradients(loss, weights);
  const feedback = adamW(PARAMETERS, weights, slopes, options);
  const session = await openSession(graph, { feedback, threads: 1 });
  for (const state of [WEIGHTS, adamState(8, options)]) {
    for (const name in state) session.set(name, state[name]!);
  }
  const { accumulate = 1 } = options;
  const norms = [];
  for (const [i, c] of targets.entries()) {
    const update = Math.floor(i / accumulate) + 1;
    const batch = i % accumulate + 1;
    const rates = adamInputs(cosine(0.1, { total: 9 }), update, options, batch);
    const out = await session.run({ c: Float32Array.of(c), ...rates });
    norms.push(Number(out["gradientNorm"]![0]));
  }
  const [w1, b1] = [await session.get("w"), await session.get("b")];
  await session.release();
  return { w: [...w1].map(Number), b: [...b1].map(Number), norms };
}

const OPTIONS = { beta1: 0.8, beta2: 0.95, epsilon: 0.3, weightDecay: 0.1 };

peerTest(
  "adamW() does as NumPy with the paper's formula",
  ["numpy"],
  async () => {
    const targets = [1, -2, 0.5, 3, 0];
    for (const clip of [undefined, 2.5]) {
      const options = clip ? { ...OPTIONS, clip } : OPTIONS;
      const given = {
        ...options,
        targets,
        rates: targets.map((_, i) => cosine(0.1, { total: 9 })(i + 1)),
        w: [...WEIGHTS["w"]!],
        b: [...WEIGHTS["b"]!],
      };
      const wanted = JSON.parse(
        await python("adamw_peer.py", [JSON.stringify(given)]),
      );
      const found = await trained(options, targets);
      for (const name of ["w", "b", "norms"] as const) {
        found[name].forEach((x, i) => {
          const error = Math.abs(x - wanted[name][i]) / (1 + Math.abs(x));
          ok(error < 2e-6, `${name}[${i}]: ${x}, not ${wanted[name][i]}`);
        });
      }
    }
  },
);

Deno.test("a gradient gathered over batches is that of their mean", async () => {
  // The gradient is linear in c, so the mean of batches is the batch of the mean.
  const four = await trained({ ...OPTIONS, accumulate: 2 }, [1, 3, -2, 0]);
  const two = await trained(OPTIONS, [2, -1]);
  for (const name of ["w", "b"] as const) {
    four[name].forEach((x, i) => ok(Math.abs(x - two[name][i]!) < 1e-6));
  }
});

Deno.test("nothing moves before the last batch of an update", async () => {
  const { w, b } = await trained({ ...OPTIONS, accumulate: 3 }, [1, 3]);
  deepEqual(w, [...WEIGHTS["w"]!]);
  deepEqual(b, [...WEIGHTS["b"]!]);
});

Deno.test("initialise() draws for each name apart, with its deviation", () => {
  const spec = { shape: [100, 100], first: { normal: 0.5 }, decays: true };
  const [a, b] = ["a", "b"].map((name) => ({ ...spec, name }));
  const both = initialise([a!, b!], rootKey("1"));
  deepEqual(initialise([b!], rootKey("1"))["b"], both["b"]);
  const square = both["a"]!.reduce((sum, x) => sum + x * x, 0) / 10_000;
  ok(Math.abs(Math.sqrt(square) - 0.5) < 0.02);
  const dot = both["a"]!.reduce((sum, x, i) => sum + x * both["b"]![i]!, 0);
  ok(Math.abs(dot / 10_000) < 0.02);
});
