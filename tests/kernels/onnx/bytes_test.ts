import { deepEqual, equal, ok } from "node:assert/strict";
import { modelBytes } from "../../../kernels/onnx/bytes.ts";
import { Graph, sizeOf } from "../../../kernels/onnx/graph.ts";
import { imitation, policyGradient } from "../../../kernels/onnx/losses.ts";
import {
  adamInputs,
  adamState,
  constant,
} from "../../../kernels/onnx/optimiser.ts";
import { playGraph } from "../../../kernels/onnx/play.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { trainingStep } from "../../../kernels/onnx/training.ts";
import { forwardGraph } from "../../../kernels/onnx/transformer.ts";
import { peerTest, python } from "../../peers.ts";
import {
  type Batch,
  floats,
  inputsOf,
  SMALL,
  targetsOf,
  VARIANTS,
  weightsFor,
} from "./models.ts";

const BATCH = 2;
const SIZE = BATCH * SMALL.context;

/** What ONNX Runtime in Python gives, after the checker has had a look. */
async function checked(
  graph: Graph,
  inputs: Batch,
): Promise<Record<string, ReadonlyArray<number>>> {
  const folder = Deno.makeTempDirSync();
  const files = ["model.onnx", "inputs.json"].map((name) =>
    `${folder}/${name}`
  );
  Deno.writeFileSync(files[0]!, modelBytes(graph));
  const plain = Object.entries(inputs).map(([name, data]) => [
    name,
    Array.from(data, Number),
  ]);
  Deno.writeTextFileSync(files[1]!, JSON.stringify(Object.fromEntries(plain)));
  try {
    return JSON.parse(await python("onnx_peer.py", files));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function agree(graph: Graph, inputs: Batch): Promise<void> {
  const session = await openSession(graph);
  const ours = await session.run(inputs);
  await session.release();
  const theirs = await checked(graph, inputs);
  deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
  for (const [name, data] of Object.entries(ours)) {
    equal(data.length, theirs[name]!.length);
    data.forEach((x: number | bigint, i: number) => {
      const error = Math.abs(Number(x) - theirs[name]![i]!);
      ok(error < 1e-5 * (1 + Math.abs(Number(x))), `${name}[${i}]`);
    });
  }
}

const PEERS = ["numpy", "onnx", "onnxruntime"];

for (const [name, config] of Object.entries(VARIANTS)) {
  peerTest(`Python reads and runs a model: ${name}`, PEERS, async () => {
    const weights = weightsFor(config);
    const inputs = inputsOf(config, BATCH);
    await agree(forwardGraph(config, { batch: BATCH, weights }), inputs);
  });
}

peerTest("Python reads and runs a step of play", PEERS, async () => {
  const weights = weightsFor(SMALL);
  const { graph, state } = playGraph(SMALL, { batch: BATCH, weights });
  const inputs: Batch = { position: Int32Array.of(2) };
  const window = inputsOf({ ...SMALL, context: 1 }, BATCH);
  for (const name in state) inputs[name] = floats(name, sizeOf(state[name]!));
  await agree(graph, { ...window, ...inputs });
});

peerTest("Python reads and runs a step of training", PEERS, async () => {
  const losses = [
    imitation({ action: 0.2, nextObservation: 0.4, reward: 0.4 }),
    policyGradient({ low: 0.2, high: 0.2, dual: 3, aggregation: "token-mean" }),
  ];
  for (const loss of losses) {
    const training = trainingStep(SMALL, loss, { batch: BATCH, clip: 1 });
    const inputs: Batch = {
      ...weightsFor(SMALL),
      ...inputsOf(SMALL, BATCH),
      ...targetsOf(SMALL, BATCH),
      advantage: floats("advantage", SIZE),
      oldLogProbability: floats("old", SIZE),
      mask: new Float32Array(SIZE).fill(1),
      ...adamState(training.size),
      ...adamInputs(constant(1e-3), 3, training.adam),
    };
    await agree(training.graph, inputs);
  }
});

Deno.test("an output of two names, and one that is an input, are copies", async () => {
  const graph = new Graph();
  const x = graph.input("x", "int64", [2]);
  const y = graph.node("Abs", [x], [x])[0]!;
  for (const [name, tensor] of Object.entries({ x1: x, y1: y, y2: y })) {
    graph.output(name, tensor);
  }
  graph.output("one", graph.integers([1]));
  const session = await openSession(graph);
  deepEqual(await session.run({ x: BigInt64Array.of(-1n, 2n) }), {
    x1: BigInt64Array.of(-1n, 2n),
    y1: BigInt64Array.of(1n, 2n),
    y2: BigInt64Array.of(1n, 2n),
    one: BigInt64Array.of(1n),
  });
  await session.release();
});
