import { deepEqual, ok, throws } from "node:assert/strict";
import {
  dataOf,
  type DType,
  Graph,
  GraphError,
  type Shape,
  sizeOf,
  type Tensor,
} from "../../../kernels/onnx/graph.ts";
import { DIFFERENTIABLE, gradients } from "../../../kernels/onnx/gradients.ts";
import {
  causalAttention,
  crossEntropy,
  geluBetween,
  layerNorm,
  stopGradient,
} from "../../../kernels/onnx/layers.ts";
import * as op from "../../../kernels/onnx/operators.ts";
import { openSession, type Session } from "../../../kernels/onnx/session.ts";
import {
  generator,
  integer,
  uniform,
} from "../../../kernels/random/generator.ts";

/** A function of float tensors whose gradient is to be checked. */
interface Case {
  readonly name: string;
  readonly shapes: ReadonlyArray<Shape>;
  readonly build: (...x: ReadonlyArray<Tensor>) => Tensor;
  /** Bounds of the inputs; -1 to 1 if not given. */
  readonly within?: readonly [number, number];
  /** For operators that ONNX Runtime's CPU has in float32 alone. */
  readonly single?: boolean;
}

function ids(x: Tensor, values: ReadonlyArray<number>, shape?: Shape): Tensor {
  const data = dataOf("int64", values);
  return x.graph.constant("int64", shape ?? [values.length], data);
}

function truths(x: Tensor, values: ReadonlyArray<number>): Tensor {
  return x.graph.constant("bool", [values.length], dataOf("bool", values));
}

/** A function of two as it broadcasts, both ways. */
function binary(
  name: string,
  build: (a: Tensor, b: Tensor) => Tensor,
  within?: readonly [number, number],
): ReadonlyArray<Case> {
  const rest = { build: build as Case["build"], ...(within ? { within } : {}) };
  return [
    { name, shapes: [[2, 3], [2, 3]], ...rest },
    { name: `${name} by a row`, shapes: [[2, 3], [3]], ...rest },
    { name: `${name} both ways`, shapes: [[2, 1, 3], [4, 1]], ...rest },
  ];
}

function unary(
  name: string,
  build: (x: Tensor) => Tensor,
  within?: readonly [number, number],
): Case {
  return {
    name,
    shapes: [[2, 3]],
    build: build as Case["build"],
    ...(within ? { within } : {}),
  };
}

const CASES: ReadonlyArray<Case> = [
  ...binary("Add", op.add),
  ...binary("Sub", op.sub),
  ...binary("Mul", op.mul),
  ...binary("Div", op.div, [0.5, 2]),
  ...binary("Pow", op.pow, [0.5, 2]),
  ...binary("Min", op.min),
  ...binary("Max", op.max),
  unary("Neg", op.neg),
  unary("Exp", op.exp),
  unary("Log", op.log, [0.5, 2]),
  unary("Sqrt", op.sqrt, [0.5, 2]),
  unary("Tanh", op.tanh),
  unary("Sigmoid", op.sigmoid),
  unary("Cos", op.cos),
  unary("Sin", op.sin),
  { ...unary("Erf", op.erf), single: true },
  unary("Clip", (x) => op.clip(x, -0.5, 0.4)),
  unary("Pow by a constant", (x) => op.pow(x, op.like(x, 3)), [0.5, 2]),
  {
    ...unary("Cast", (x) => op.cast(op.square(op.cast(x, "float64")), x.dtype)),
    single: true,
  },
  unary("Softmax", op.softmax),
  unary("LogSoftmax", op.logSoftmax),
  unary("Transpose", (x) => op.transpose(x)),
  unary("Reshape", (x) => op.reshape(x, [3, -1])),
  unary("Expand", (x) => op.expand(op.reshape(x, [2, 1, 3]), [4, 2, 5, 3])),
  unary("Slice", (x) => op.slice(x, -1, 0, 2)),
  unary("Pad", (x) => op.pad(x, 0, 2, 1)),
  unary("Split", (x) => op.mul(...pair(op.split(x, 1, [2, 1])))),
  unary("Split, a part alone", (x) => op.split(x, 0, [1, 1])[1]!),
  unary("ReduceSum", (x) => op.reduceSum(x, [0])),
  unary("ReduceMean", (x) => op.reduceMean(x, [1], true)),
  unary("ReduceMax", (x) => op.reduceMax(x, [1])),
  unary("ReduceSumSquare", (x) => op.reduceSumSquare(x)),
  unary("Gather", (x) => op.gather(x, ids(x, [1, 0, 1, 1], [2, 2]))),
  unary("Sum of one thrice", (x) => op.sum(x, op.square(x), x)),
  {
    name: "Transpose of four axes",
    shapes: [[2, 3, 1, 2]],
    build: (x) => op.transpose(x!, [2, 0, 3, 1]),
  },
  {
    name: "Where",
    shapes: [[2, 3], [3]],
    build: (a, b) => op.where(truths(a!, [1, 0, 1]), a!, b!),
  },
  {
    name: "Concat",
    shapes: [[2, 3], [2, 1]],
    build: (a, b) => op.concat([a!, b!, a!], 1),
  },
  {
    name: "ScatterElements",
    shapes: [[2, 4], [2, 2]],
    build: (a, b) => op.scatter(a!, ids(a!, [3, 0, 1, 2], [2, 2]), b!, 1),
  },
  {
    name: "ScatterElements that adds, one place twice",
    shapes: [[2, 4], [2, 2]],
    build: (a, b) => op.scatter(a!, ids(a!, [3, 3, 1, 2], [2, 2]), b!, 1, true),
  },
  { name: "MatMul", shapes: [[2, 3], [3, 4]], build: product },
  {
    name: "MatMul, rows in batches",
    shapes: [[2, 2, 3], [3, 2]],
    build: product,
  },
  { name: "MatMul in batches", shapes: [[2, 2, 3], [2, 3, 2]], build: product },
  {
    name: "MatMul that broadcasts",
    shapes: [[2, 1, 2, 3], [4, 3, 2]],
    build: product,
  },
  {
    name: "LayerNormalization",
    shapes: [[2, 2, 5], [5], [5]],
    build: (x, gain, bias) => layerNorm(x!, gain!, bias!),
    single: true,
  },
  {
    name: "geluBetween",
    shapes: [[2, 3], [3, 4], [4, 2]],
    build: (x, a, b) => geluBetween(x!, a!, b!),
    single: true,
  },
  {
    name: "causalAttention",
    shapes: [[1, 2, 3, 2], [1, 2, 3, 2], [1, 2, 3, 2]],
    build: (q, k, v) => causalAttention(q!, k!, v!),
  },
  {
    name: "causalAttention in chunks",
    shapes: [[1, 1, 130, 2], [1, 1, 130, 2], [1, 1, 130, 2]],
    build: (q, k, v) => causalAttention(q!, k!, v!),
  },
  {
    name: "causalAttention, of three tokens the last asks",
    shapes: [[1, 2, 3, 2], [1, 2, 9, 2], [1, 2, 9, 2]],
    build: (q, k, v) => causalAttention(q!, k!, v!),
  },
  {
    name: "causalAttention in chunks, of two tokens the last asks",
    shapes: [[1, 1, 130, 2], [1, 1, 260, 2], [1, 1, 260, 2]],
    build: (q, k, v) => causalAttention(q!, k!, v!),
  },
  {
    name: "crossEntropy",
    shapes: [[3, 4]],
    build: (x) => crossEntropy(x!, ids(x!, [2, -1, 0])),
  },
];

function pair(parts: ReadonlyArray<Tensor>): [Tensor, Tensor] {
  return [parts[0]!, op.reduceSum(parts[1]!, [1], true)];
}

function product(a?: Tensor, b?: Tensor): Tensor {
  return op.matmul(a!, b!);
}

const RANDOM = generator([1, 2, 3, 4]);

function draw(
  dtype: DType,
  size: number,
  [low, high]: readonly [number, number],
) {
  const numbers = Array.from(
    { length: size },
    () => low + (high - low) * uniform(RANDOM),
  );
  return dataOf(dtype, numbers) as Float64Array;
}

/** The graph of a loss, Σ w y with random weights w, and its gradients. */
function graphOf({ shapes, build }: Case, dtype: DType): Graph {
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, dtype, shape));
  const y = build(...inputs);
  const values = draw(dtype, sizeOf(y.shape), [-1, 1]);
  const weights = graph.constant(dtype, y.shape, values);
  const loss = op.reduceSum(op.mul(y, weights));
  graph.output("loss", loss);
  gradients(loss, inputs).forEach((g, i) => graph.output(`g${i}`, g));
  return graph;
}

type Inputs = Record<string, Float64Array>;

async function lossAt(
  session: Session,
  inputs: Inputs,
  name: string,
  place: number,
  step: number,
): Promise<number> {
  const moved = inputs[name]!.slice();
  moved[place] = moved[place]! + step;
  return Number((await session.run({ ...inputs, [name]: moved }))["loss"]![0]);
}

/** The largest difference of a gradient from (f(x + h) - f(x - h)) / 2 h. */
async function worst(spec: Case): Promise<number> {
  const dtype = spec.single ? "float32" : "float64";
  const h = spec.single ? 2 ** -6 : 2 ** -18;
  const session = await openSession(graphOf(spec, dtype), { threads: 1 });
  const inputs: Inputs = Object.fromEntries(
    spec.shapes.map((shape, i) => [
      `x${i}`,
      draw(dtype, sizeOf(shape), spec.within ?? [-1, 1]),
    ]),
  );
  const found = await session.run(inputs);
  let largest = 0;
  for (const [i, shape] of spec.shapes.entries()) {
    for (let k = 0; k < sizeOf(shape); k++) {
      const up = await lossAt(session, inputs, `x${i}`, k, h);
      const down = await lossAt(session, inputs, `x${i}`, k, -h);
      const slope = (up - down) / (2 * h);
      const error = Math.abs(slope - Number(found[`g${i}`]![k]));
      // Not a number is not small.
      largest = error <= largest ? largest : error;
    }
  }
  await session.release();
  return largest;
}

for (const spec of CASES) {
  Deno.test(`the gradient of ${spec.name} is that of differences`, async () => {
    const error = await worst(spec);
    ok(error < (spec.single ? 1e-3 : 1e-8), `off by ${error}`);
  });
}

Deno.test("rows of a large table are added up as the product adds them", async () => {
  const [rows, width, steps] = [600, 3, 50];
  const graph = new Graph();
  const table = graph.input("table", "float32", [rows, width]);
  const share = graph.input("share", "float32", [steps, width]);
  // Few rows, so that many steps have the same one.
  const places = Array.from({ length: steps }, () => 50 * integer(RANDOM, 12));
  const rowsOf = op.gather(table, ids(table, places));
  const loss = op.reduceSum(op.mul(rowsOf, share));
  for (const scatters of [false, true]) {
    const [slope] = gradients(loss, [table], { scatters });
    graph.output(`slope.${scatters}`, slope!);
  }
  const used = graph.live().map(({ op }) => op);
  deepEqual(
    ["MatMul", "ScatterElements"].map((name) =>
      used.filter((op) => op === name).length
    ),
    [1, 1],
  );
  const session = await openSession(graph, { threads: 2 });
  const feeds = {
    table: new Float32Array(rows * width),
    share: draw("float32", steps * width, [-1, 1]),
  };
  const found = await session.run(feeds);
  const [product, sum] = [found["slope.false"]!, found["slope.true"]!];
  product.forEach((x, i) => ok(Math.abs(Number(x) - Number(sum[i])) < 1e-6));
  ok(sum.some((x) => Math.abs(Number(x)) > 0.5));
  await session.release();
});

Deno.test("every operator with a rule is checked", () => {
  const names = CASES.flatMap((spec) =>
    graphOf(spec, spec.single ? "float32" : "float64").tape.flatMap((
      { node },
    ) => node?.op ?? [])
  );
  deepEqual([...new Set(names)].sort(), DIFFERENTIABLE);
});

Deno.test("gradients() gives 0 where nothing depends, and stops where told", async () => {
  const graph = new Graph();
  const [x, y] = ["x", "y"].map((name) => graph.input(name, "float32", [2]));
  const loss = op.reduceSum(op.mul(x!, stopGradient(op.square(x!))));
  const [dx, dy] = gradients(loss, [x!, y!]);
  graph.output("dx", dx!);
  graph.output("dy", dy!);
  const session = await openSession(graph);
  const at = { x: Float32Array.of(2, 3), y: Float32Array.of(1, 1) };
  deepEqual(await session.run(at), {
    dx: Float32Array.of(4, 9),
    dy: Float32Array.of(0, 0),
  });
  await session.release();
});

Deno.test("gradients() refuses what has none", () => {
  const graph = new Graph();
  const x = graph.input("x", "float32", [2]);
  throws(() => gradients(x, [x]), GraphError);
  throws(() => gradients(op.reduceSum(op.floor(x)), [x]), /Floor has no/);
});
