import { ok } from "node:assert/strict";
import { Graph } from "../../../kernels/onnx/graph.ts";
import { causalAttention } from "../../../kernels/onnx/layers.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { generator, uniform } from "../../../kernels/random/generator.ts";

const DEPTH = 3;

/** softmax(Q Kᵀ) V, number by number; query `i` sees `each (i + 1)` keys. */
function plainly(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  each: number,
): Float64Array {
  const rowOf = (x: Float64Array, i: number) =>
    x.subarray(i * DEPTH, (i + 1) * DEPTH);
  const y = new Float64Array(q.length);
  for (let i = 0; i < q.length / DEPTH; i++) {
    const weights = Array.from({ length: each * (i + 1) }, (_, j) => {
      const key = rowOf(k, j);
      return Math.exp(rowOf(q, i).reduce((sum, x, d) => sum + x * key[d]!, 0));
    });
    const total = weights.reduce((sum, weight) => sum + weight);
    for (let d = 0; d < DEPTH; d++) {
      y[i * DEPTH + d] = weights.reduce(
        (sum, weight, j) => sum + weight * rowOf(v, j)[d]! / total,
        0,
      );
    }
  }
  return y;
}

// More queries than are taken at a time, so that there are several masks.
const SIZES = [[300, 1], [257, 2], [130, 3], [5, 4]] as const;

for (const [queries, each] of SIZES) {
  Deno.test(`${queries} queries see ${each} keys each and those before`, async () => {
    const random = generator([7, queries, each, 0]);
    const draw = (rows: number) =>
      Float64Array.from(
        { length: rows * DEPTH },
        () => 4 * uniform(random) - 2,
      );
    const feeds = {
      q: draw(queries),
      k: draw(queries * each),
      v: draw(queries * each),
    };
    const graph = new Graph();
    const [q, k, v] = Object.entries(feeds).map(([name, { length }]) =>
      graph.input(name, "float64", [1, 1, length / DEPTH, DEPTH])
    );
    graph.output("y", causalAttention(q!, k!, v!));
    const session = await openSession(graph);
    const { y } = await session.run(feeds);
    await session.release();
    plainly(feeds.q, feeds.k, feeds.v, each).forEach((x, i) => {
      ok(Math.abs(x - Number(y![i])) < 1e-12, `${i}: ${x}, ${y![i]}`);
    });
  });
}
