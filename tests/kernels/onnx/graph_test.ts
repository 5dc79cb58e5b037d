import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Graph, GraphError, type Tensor } from "../../../kernels/onnx/graph.ts";
import { causalAttention, layerNorm } from "../../../kernels/onnx/layers.ts";
import { forwardGraph } from "../../../kernels/onnx/transformer.ts";
import { SMALL } from "./models.ts";
import * as op from "../../../kernels/onnx/operators.ts";

const graph = new Graph();
const a = graph.input("a", "float32", [2, 3]);
const b = graph.input("b", "float32", [4, 2]);
const row = graph.input("row", "float32", [3]);
const double = graph.input("double", "float64", [2, 3]);
const ids = graph.input("ids", "int32", [5]);
const two = graph.input("two", "float32", [1, 2, 2, 4]);
const three = graph.input("three", "float32", [1, 2, 3, 4]);
const yes = graph.input("yes", "bool", [2, 3]);

/** Shapes that do not fit, and what is said of them. */
const REFUSED: ReadonlyArray<readonly [() => unknown, RegExp]> = [
  [() => op.add(a, b), /^Add of float32\[2,3\], float32\[4,2\]: shapes do not/],
  [() => op.mul(a, double), /^Mul of float32\[2,3\], float64\[2,3\]: types/],
  [() => op.exp(ids), /^Exp of int32\[5\]: not of floats/],
  [() => op.sum(), /^Sum of nothing/],
  [() => op.sum(a, row), /^Sum of .*: shapes differ/],
  [() => op.where(a, a, a), /^Where of .*: wants a truth/],
  [() => op.where(yes, a, double), /^Where of .*: wants a truth/],
  [() => op.where(yes, b, b), /^Where of .*: shapes do not/],
  [() => op.matmul(a, b), /^MatMul of float32\[2,3\], float32\[4,2\]/],
  [() => op.matmul(a, row), /^MatMul of .*: shapes do not fit/],
  [() => op.matmul(op.transpose(a), double), /^MatMul of .*: types differ/],
  [() => op.transpose(a, [0, 0]), /^Transpose of .*: no order \[0,0\]/],
  [() => op.reshape(a, [4, 2]), /^Reshape of float32\[2,3\]: not to \[4,2\]/],
  [() => op.reshape(a, [4, -1]), /^Reshape of .*: not to \[4,-1\]/],
  [() => op.expand(a, [3]), /^Expand of .*: not to \[3\]/],
  [() => op.slice(a, 1, 2, 4), /^Slice of .*: no 2 to 4 on axis 1/],
  [() => op.slice(a, 2, 0, 1), /^Slice of .*: no axis 2/],
  [() => op.pad(a, -3, 0, 1), /^Pad of .*: no axis -3/],
  [() => op.split(a, 1, [1, 1]), /^Split of .*: not into 1,1 on axis 1/],
  [() => op.concat([], 0), /^Concat of nothing/],
  [() => op.concat([a, row], 0), /^Concat of .*: they differ off axis 0/],
  [() => op.concat([a, b], 0), /^Concat of .*: they differ off axis 0/],
  [() => op.gather(a, row), /^Gather of .*: places are integers/],
  [() => op.scatter(a, ids, row, 0), /^ScatterElements of .*: updates do not/],
  [() => op.oneHot(row, 3, "float32"), /^OneHot of .*: places are integers/],
  [() => op.reduceSum(a, [2]), /^ReduceSum of .*: no axis 2/],
  [() => op.softmax(graph.scalar(1)), /^Softmax of float32\[\]: no axis -1/],
  [() => layerNorm(b, row, row), /^LayerNormalization of float32\[4,2\], /],
  [() => causalAttention(two, three, three), /^causalAttention of float32/],
  [() => graph.input("a", "float32", [1]), /^Cannot make a: there is one/],
  [() => graph.output("a", b), /^Cannot make a: there is one already/],
  [() => graph.input("none", "float32", [0]), /^Cannot make none: shape \[0\]/],
  [() => graph.constant("float32", [2], new Float32Array(3)), /of 3 elements/],
  [() => graph.constant("int32", [2], new Float32Array(2)), /of Float32Array/],
  [() => op.add(a, new Graph().input("x", "float32", [3])), /another graph/],
];

for (const [build, why] of REFUSED) {
  Deno.test(`refused: ${why.source}`, () => {
    throws(build, (error: Error) => {
      return error instanceof GraphError && why.test(error.message);
    });
  });
}

Deno.test("shapes follow", () => {
  const shapes: ReadonlyArray<readonly [Tensor, ReadonlyArray<number>]> = [
    [op.add(a, row), [2, 3]],
    [op.mul(op.reshape(row, [3, 1, 1]), a), [3, 2, 3]],
    [op.matmul(op.reshape(a, [2, 1, 1, 3]), op.reshape(a, [3, 2])), [
      2,
      1,
      1,
      2,
    ]],
    [op.transpose(op.reshape(a, [1, 2, 3])), [1, 3, 2]],
    [op.reshape(a, [-1, 2]), [3, 2]],
    [op.expand(row, [7, 3]), [7, 3]],
    [op.pad(a, -1, 1, 2), [2, 6]],
    [op.split(a, 1, [1, 2])[1]!, [2, 2]],
    [op.concat([a, a], 0), [4, 3]],
    [op.gather(b, op.reshape(ids, [5, 1])), [5, 1, 2]],
    [op.oneHot(ids, 9, "float32"), [5, 9]],
    [op.reduceSum(a), []],
    [op.reduceMean(a, [-1]), [2]],
    [op.reduceMax(a, [0], true), [1, 3]],
    [op.less(a, row), [2, 3]],
  ];
  for (const [tensor, shape] of shapes) deepEqual(tensor.shape, shape);
});

Deno.test("layers share their masks and turns", () => {
  const sizes = [1, 4].map((layers) => {
    const { constants } = forwardGraph({ ...SMALL, layers }, { batch: 1 });
    return [...constants.keys()].filter(({ shape }) => shape.length === 2)
      .length;
  });
  equal(sizes[0], sizes[1]);
});

Deno.test("a graph of long windows is not made of masks", () => {
  const long = forwardGraph({ ...SMALL, context: 4096 }, { batch: 1 });
  const numbers = [...long.constants.values()].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  // Angles of each place, twice, and what is as long as one chunk.
  ok(numbers < 4096 * 2 * 8 + 20_000, `${numbers} numbers`);
});

Deno.test("equal constants are one, and only live nodes are written", () => {
  const small = new Graph();
  const x = small.input("x", "float32", [2]);
  equal(small.scalar(2), small.scalar(2));
  equal(small.scalar(2) === small.scalar(2, "float64"), false);
  op.exp(x);
  small.output("y", op.tanh(op.neg(x)));
  deepEqual(small.live().map((node) => node.op), ["Neg", "Tanh"]);
});
