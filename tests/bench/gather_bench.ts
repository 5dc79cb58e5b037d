/**
 * The gradient of a table's rows at 1600 places (16 windows of 100 steps, width
 * 64), by a product with ones and zeros and by adding rows up, on one thread: which
 * is quicker decides `LARGE_TABLE` of `kernels/onnx/gradients.ts`.
 *
 * @module
 */
import { gradients } from "../../kernels/onnx/gradients.ts";
import { Graph } from "../../kernels/onnx/graph.ts";
import * as op from "../../kernels/onnx/operators.ts";
import { openSession } from "../../kernels/onnx/session.ts";
import { compare, type Contender, report } from "./measure.ts";

const WIDTH = 64;
const STEPS = 1600;

async function slope(rows: number, scatters: boolean): Promise<Contender> {
  const graph = new Graph();
  const table = graph.input("table", "float32", [rows, WIDTH]);
  const ids = graph.input("ids", "int32", [STEPS]);
  const share = graph.input("share", "float32", [STEPS, WIDTH]);
  const loss = op.reduceSum(op.mul(op.gather(table, ids), share));
  const [dx] = gradients(loss, [table], { scatters });
  graph.output("dx", dx!);
  const session = await openSession(graph, { threads: 1 });
  const feeds = {
    table: new Float32Array(rows * WIDTH),
    ids: Int32Array.from({ length: STEPS }, (_, i) => i * 7919 % rows),
    share: Float32Array.from({ length: STEPS * WIDTH }, (_, i) => Math.sin(i)),
  };
  const name = scatters ? "rows added up" : "product";
  return { name, run: async () => void await session.run(feeds) };
}

for (const rows of [512, 1024, 4096, 16384]) {
  const unit = { work: 1, unit: "gradients/s" };
  const both = [await slope(rows, false), await slope(rows, true)];
  report(await compare(`table of ${rows} rows`, unit, both));
}
