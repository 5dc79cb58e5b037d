import { deepEqual, ok, throws } from "node:assert/strict";
import { Graph, GraphError } from "../../../kernels/onnx/graph.ts";
import {
  aggregate,
  imitation,
  type Loss,
  policyGradient,
  positionWeights,
} from "../../../kernels/onnx/losses.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import type {
  Head,
  TransformerConfig,
} from "../../../kernels/onnx/transformer.ts";
import {
  aggregateLoss,
  AGGREGATIONS,
  tokenLoss,
} from "../../../kernels/policy_loss.ts";
import { goldenCases } from "../../golden.ts";
import golden from "../../vectors/anymdp.json" with { type: "json" };
import { type Batch, floats, inputsOf, SMALL, targetsOf } from "./models.ts";

const BATCH = 3;
const ROWS = BATCH * SMALL.context;

Deno.test("positionWeights() are OmniRL's", () => {
  const { context_warmup, max_position, sum, ...some } = golden.loss_weights;
  const weights = positionWeights(context_warmup, max_position);
  const total = weights.reduce((a, b) => a + b, 0);
  ok(Math.abs(total - sum) < 1e-9);
  for (const [name, wanted] of Object.entries(some)) {
    const found = weights[Number(name.slice(2))]!;
    ok(Math.abs(found / wanted - 1) < 1e-9, name);
  }
});

/** Terms of a loss of heads that are fed, not computed. */
async function termsOf(
  loss: Loss,
  said: Partial<Record<Head, Float32Array>>,
  inputs: Batch,
  config: TransformerConfig = SMALL,
  batch = BATCH,
): Promise<Record<string, number>> {
  const graph = new Graph();
  const heads = Object.fromEntries(
    Object.entries(said).map(([head, data]) => {
      const rows = batch * config.context;
      const width = data.length / rows;
      const shape = width === 1 ? [rows] : [rows, width];
      return [head, graph.input(`said.${head}`, "float32", shape)];
    }),
  );
  const terms = loss({ graph, config, batch, heads });
  for (const [name, term] of Object.entries(terms)) {
    graph.output(`term.${name}`, term);
  }
  const session = await openSession(graph);
  const feeds: Batch = {};
  for (const [head, data] of Object.entries(said)) feeds[`said.${head}`] = data;
  for (const name of graph.inputs.keys()) {
    if (inputs[name]) feeds[name] = inputs[name];
  }
  const outputs = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.keys(terms).map((
      name,
    ) => [name, Number(outputs[`term.${name}`]![0])]),
  );
}

function logSoftmaxOf(logits: Float32Array, row: number, n: number): number[] {
  const own = [...logits.subarray(row * n, row * n + n)];
  const total = Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0));
  return own.map((x) => x - total);
}

function close(found: number | undefined, wanted: number): void {
  const error = Math.abs(found! - wanted);
  ok(error < 1e-5 * (1 + Math.abs(wanted)), `${found}, not ${wanted}`);
}

Deno.test("imitation() is the weighted mean over labels that are there", async () => {
  const targets = targetsOf(SMALL, BATCH);
  const said = {
    action: floats("logits", ROWS * 3),
    nextObservation: floats("next", ROWS * 6),
    reward: floats("paid", ROWS),
    value: floats("value", ROWS),
  };
  const weights = {
    action: 0.2,
    nextObservation: 0.4,
    reward: 0.3,
    value: 0.1,
  };
  const terms = await termsOf(
    imitation({ ...weights, entropy: 0.05 }),
    said,
    targets,
  );
  const weight = targets["weight"] as Float32Array;
  const mean = (f: (row: number) => number | undefined) => {
    let [sum, total] = [0, 0];
    for (let row = 0; row < ROWS; row++) {
      const x = f(row);
      if (x === undefined) continue;
      sum += weight[row]! * x;
      total += weight[row]!;
    }
    return sum / total;
  };
  const crossEntropy = (logits: Float32Array, n: number, labels: Int32Array) =>
    mean((row) =>
      labels[row] === -1
        ? undefined
        : -logSoftmaxOf(logits, row, n)[labels[row]!]!
    );
  const wanted = {
    action: crossEntropy(said.action, 3, targets["label"] as Int32Array),
    nextObservation: crossEntropy(
      said.nextObservation,
      6,
      targets["nextObservation"] as Int32Array,
    ),
    reward: mean((i) => (said.reward[i]! - Number(targets["reward"]![i])) ** 2),
    value: mean((i) => (said.value[i]! - Number(targets["target"]![i])) ** 2),
    entropy: mean((row) =>
      -logSoftmaxOf(said.action, row, 3).reduce(
        (s, l) => s + l * Math.exp(l),
        0,
      )
    ),
  };
  for (const [name, x] of Object.entries(wanted)) close(terms[name], x);
  const loss = 0.2 * wanted.action + 0.4 * wanted.nextObservation +
    0.3 * wanted.reward + 0.1 * wanted.value - 0.05 * wanted.entropy;
  close(terms["loss"], loss);
});

Deno.test("imitation() with no labels at all is 0", async () => {
  const terms = await termsOf(
    imitation({ action: 1 }),
    { action: floats("logits", ROWS * 3) },
    {
      weight: new Float32Array(ROWS).fill(1),
      label: new Int32Array(ROWS).fill(-1),
    },
  );
  deepEqual(terms, { loss: 0, action: 0 });
});

Deno.test("policyGradient() is the scalar loss, in each aggregation", async () => {
  const action = inputsOf(SMALL, BATCH)["action"] as Int32Array;
  const logits = floats("logits", ROWS * 3);
  const advantage = floats("advantage", ROWS).map((a) => 3 * a);
  const fresh = Float64Array.from(
    action,
    (a, row) => logSoftmaxOf(logits, row, 3)[a]!,
  );
  const old = Float32Array.from(
    fresh,
    (l, i) => l - advantage[(i + 5) % ROWS]!,
  );
  // The second window is out altogether, and holds what must not count.
  const mask = new Float32Array(ROWS).map((_, i) =>
    i >= 7 && i < 14 ? 0 : Number(i % 4 !== 1)
  );
  old.fill(-500, 7, 14);
  const options = { low: 0.2, high: 0.28, dual: 3 };
  const losses = Float64Array.from(
    fresh,
    (l, i) => tokenLoss(old[i]!, l, advantage[i]!, options),
  );
  const inputs = { action, advantage, oldLogProbability: old, mask };
  for (const aggregation of AGGREGATIONS) {
    const loss = policyGradient({ ...options, aggregation, entropy: 0.01 });
    const terms = await termsOf(loss, { action: logits }, inputs);
    const wanted = aggregateLoss(losses, mask, SMALL.context, aggregation);
    close(terms["policy"], wanted);
    close(terms["loss"], wanted - 0.01 * terms["entropy"]!);
    const near = policyGradient({ ...options, aggregation, kl: 0.5 });
    const held = await termsOf(near, { action: logits }, inputs);
    const k3 = Float64Array.from(fresh, (l, i) => {
      const change = l - old[i]!;
      return Math.exp(change) - 1 - change;
    });
    const apart = aggregateLoss(k3, mask, SMALL.context, aggregation);
    close(held["kl"], apart);
    close(held["loss"], wanted + 0.5 * apart);
  }
  const { clipped, kl } = await termsOf(
    policyGradient({ ...options, aggregation: "token-mean" }),
    { action: logits },
    inputs,
  );
  const ratios = [...fresh].flatMap((l, i) => mask[i] ? [l - old[i]!] : []);
  const outside = ratios.filter((r) => Math.exp(r) < 0.8 || Math.exp(r) > 1.28);
  close(clipped, outside.length / ratios.length);
  const k3 = ratios.map((r) => Math.exp(r) - 1 - r);
  close(kl, k3.reduce((a, b) => a + b, 0) / ratios.length);
});

for (const { name, inputs, expected } of goldenCases("policy_loss")) {
  Deno.test(`policyGradient() gives ${name}`, async () => {
    type Rows = ReadonlyArray<ReadonlyArray<number>>;
    const flat = (rows: Rows) => Float32Array.from(rows.flat());
    const now: Rows = inputs.new_logprob;
    const [batch, context] = [now.length, now[0]!.length];
    // One of two actions, whose logits are the logarithms of its odds.
    const logits = now.flat().flatMap((l) => [l, Math.log1p(-Math.exp(l))]);
    const said = { action: Float32Array.from(logits) };
    const given = {
      action: new Int32Array(batch * context),
      mask: flat(inputs.response_mask),
      advantage: flat(inputs.advantage),
      oldLogProbability: flat(inputs.old_logprob),
    };
    for (const aggregation of AGGREGATIONS) {
      const loss = policyGradient({
        low: inputs.clip_low,
        high: inputs.clip_high,
        dual: inputs.dual_clip_c,
        aggregation,
      });
      const config = { ...SMALL, actions: 2, context };
      const terms = await termsOf(loss, said, given, config, batch);
      close(terms["loss"], expected[aggregation]);
    }
  });
}

Deno.test("aggregate() of nothing is 0", async () => {
  for (const aggregation of AGGREGATIONS) {
    const graph = new Graph();
    const [losses, mask] = ["losses", "mask"].map((name) =>
      graph.input(name, "float32", [4])
    );
    graph.output("y", aggregate(losses!, mask!, [2, 2], aggregation));
    const session = await openSession(graph);
    const zeros = new Float32Array(4);
    const { y } = await session.run({
      losses: zeros.map(() => 7),
      mask: zeros,
    });
    deepEqual([...y!], [0]);
    await session.release();
  }
});

Deno.test("a loss refuses a model without its head", () => {
  const graph = new Graph();
  const said = { graph, config: SMALL, batch: 1, heads: {} };
  throws(() => imitation({ action: 1 })(said), GraphError);
  throws(() => imitation({ action: 1 })(said), /a head of action/);
});
