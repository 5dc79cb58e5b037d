import { deepEqual, ok } from "node:assert/strict";
import { imitation } from "../../../kernels/onnx/losses.ts";
import { adamInputs, constant } from "../../../kernels/onnx/optimiser.ts";
import { initialise } from "../../../kernels/onnx/parameters.ts";
import {
  openSession,
  type SessionOptions,
} from "../../../kernels/onnx/session.ts";
import { doubleDqn } from "../../../kernels/onnx/q_learning.ts";
import {
  delayedOf,
  start,
  trainingStep,
  weightsOf,
} from "../../../kernels/onnx/training.ts";
import type { TransformerConfig } from "../../../kernels/onnx/transformer.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { inputsOf, isHere, targetsOf, VARIANTS } from "./models.ts";

const BATCH = 4;
const LOSS = imitation({
  action: 0.4,
  nextObservation: 0.3,
  reward: 0.2,
  value: 0.1,
});

/** Losses of so many updates on one batch, and the weights after them. */
async function losses(
  config: TransformerConfig,
  updates: number,
  options: SessionOptions = { threads: 2 },
) {
  const { device = "cpu" } = options;
  const training = trainingStep(config, LOSS, {
    ...{ batch: BATCH, clip: 1, device },
  });
  const { graph, feedback, parameters, adam } = training;
  const session = await openSession(graph, { ...options, feedback });
  start(session, training, initialise(parameters, rootKey("11")));
  const batch = { ...inputsOf(config, BATCH), ...targetsOf(config, BATCH) };
  const found = [];
  for (let update = 1; update <= updates; update++) {
    const rates = adamInputs(constant(1e-2, 10), update, adam);
    found.push(Number((await session.run({ ...batch, ...rates }))["loss"]![0]));
  }
  const weights = await weightsOf(session, training);
  await session.release();
  return { found, weights };
}

for (const [name, config] of Object.entries(VARIANTS)) {
  Deno.test(`a model learns a batch by heart: ${name}`, async () => {
    const { found } = await losses(config, 150);
    const [first, last] = [found[0]!, found.at(-1)!];
    ok(first > 0.9, `begins at ${first}`);
    ok(last < 0.02, `ends at ${last}`);
  });
}

Deno.test("training is the same, bit by bit, at the same number of threads", async () => {
  const config = {
    ...VARIANTS["three tokens, rotary"]!,
    width: 64,
    observations: 600,
  };
  for (const threads of [1, 2]) {
    deepEqual(
      await losses(config, 10, { threads }),
      await losses(config, 10, { threads }),
    );
  }
});

Deno.test("delayed weights follow those of each update, not those before", async () => {
  const config = { ...VARIANTS["one token, rotary"]!, outputs: ["q"] as const };
  const polyak = 0.25;
  const training = trainingStep(config, doubleDqn({}), {
    batch: BATCH,
    accumulate: 2,
    polyak,
  });
  const { graph, feedback, parameters, adam } = training;
  const session = await openSession(graph, { feedback });
  const first = initialise(parameters, rootKey("11"));
  start(session, training, first);
  const some = { ...inputsOf(config, BATCH), ...targetsOf(config, BATCH) };
  const size = BATCH * config.context;
  const { tag, observation, previousAction, previousReward, reward } = some;
  const batch = {
    ...{ tag: tag!, observation: observation!, reward: reward! },
    previousAction: previousAction!,
    previousReward: previousReward!,
    action: new Int32Array(size),
    discount: new Float32Array(size).fill(0.5),
    mask: new Float32Array(size).fill(1),
  };
  const name = "block.0.mlp.in";
  let slow = first[name]!;
  for (let update = 1; update <= 3; update++) {
    for (const part of [1, 2]) {
      const rates = adamInputs(constant(1e-2), update, adam, part);
      await session.run({ ...batch, ...rates });
      if (part === 1) {
        deepEqual((await delayedOf(session, training))![name], slow);
      }
    }
    const fast = (await weightsOf(session, training))[name]!;
    const wanted = slow.map((x, i) => (1 - polyak) * x + polyak * fast[i]!);
    slow = (await delayedOf(session, training))![name]!;
    slow.forEach((x, i) => ok(Math.abs(x - wanted[i]!) < 1e-7));
    ok(fast.some((x, i) => Math.abs(x - slow[i]!) > 1e-3));
  }
  await session.release();
});

for (const device of ["webgpu", "cuda"] as const) {
  const here = await isHere(device);
  Deno.test({
    name: `training is the same on ${device}${
      here ? "" : " (skipped: not here)"
    }`,
    ignore: !here,
    async fn() {
      for (const name of ["one token, rotary", "three tokens, learned"]) {
        const config = VARIANTS[name]!;
        const [one, two] = [
          await losses(config, 5, { device: "cpu" }),
          await losses(config, 5, { device }),
        ];
        one.found.forEach((x, i) => ok(Math.abs(x - two.found[i]!) < 1e-4));
        for (const [weight, values] of Object.entries(one.weights)) {
          const other = two.weights[weight]!;
          values.forEach((x, i) => ok(Math.abs(x - other[i]!) < 1e-3, weight));
        }
      }
    },
  });
}
