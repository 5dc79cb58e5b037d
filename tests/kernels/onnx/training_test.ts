import { deepEqual, ok } from "node:assert/strict";
import { imitation } from "../../../kernels/onnx/losses.ts";
import { adamInputs, constant } from "../../../kernels/onnx/optimiser.ts";
import { initialise } from "../../../kernels/onnx/parameters.ts";
import {
  type Device,
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
import { deviceTest } from "./devices.ts";
import { type Batch, inputsOf, targetsOf, VARIANTS } from "./models.ts";

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

const SHARE = 0.25;

/** Two batches an update of double DQN; what is found after each. */
async function doubleQ(device: Device) {
  const config = { ...VARIANTS["one token, rotary"]!, outputs: ["q"] as const };
  const training = trainingStep(config, doubleDqn({ relative: true }), {
    ...{ batch: BATCH, accumulate: 2, polyak: SHARE, device },
  });
  const { graph, feedback, parameters, adam } = training;
  const session = await openSession(graph, { feedback, device });
  start(session, training, initialise(parameters, rootKey("11")));
  const size = BATCH * config.context;
  const some: Batch = {
    ...inputsOf(config, BATCH),
    ...targetsOf(config, BATCH),
    action: Int32Array.from({ length: size }, (_, i) => i % config.actions),
    discount: new Float32Array(size).fill(0.5),
    mask: new Float32Array(size).fill(1),
  };
  const feeds = Object.fromEntries(
    Object.entries(some).filter(([name]) => graph.inputs.has(name)),
  );
  const found = [];
  for (let batch = 0; batch < 6; batch++) {
    const [update, part] = [Math.floor(batch / 2) + 1, batch % 2 + 1];
    const rates = adamInputs(constant(1e-2), update, adam, part);
    const { loss } = await session.run({ ...feeds, ...rates });
    const fast = (await weightsOf(session, training))["block.0.mlp.in"]!;
    const slow = (await delayedOf(session, training))!["block.0.mlp.in"]!;
    found.push({ loss: Number(loss![0]), fast, slow });
  }
  await session.release();
  return found;
}

Deno.test("delayed weights follow those of each update, not those before", async () => {
  const found = await doubleQ("cpu");
  for (let batch = 1; batch < found.length; batch++) {
    const [before, now] = [found[batch - 1]!, found[batch]!];
    if (batch % 2 === 0) {
      deepEqual(now.slow, before.slow);
      deepEqual(now.fast, before.fast);
      continue;
    }
    now.slow.forEach((x, i) => {
      const wanted = (1 - SHARE) * before.slow[i]! + SHARE * now.fast[i]!;
      ok(Math.abs(x - wanted) < 1e-7);
    });
    ok(now.fast.some((x, i) => Math.abs(x - now.slow[i]!) > 1e-3));
  }
});

for (const device of ["webgpu", "cuda"] as const) {
  deviceTest("training is the same", device, async () => {
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
    const [ours, theirs] = [await doubleQ("cpu"), await doubleQ(device)];
    ours.forEach(({ loss, slow }, i) => {
      const other = theirs[i]!;
      ok(Math.abs(loss / other.loss - 1) < 1e-4);
      slow.forEach((x, k) => ok(Math.abs(x - other.slow[k]!) < 1e-3));
    });
  });
}
