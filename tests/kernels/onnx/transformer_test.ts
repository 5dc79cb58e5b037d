import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { GraphError } from "../../../kernels/onnx/graph.ts";
import { playGraph, playStep, startPlay } from "../../../kernels/onnx/play.ts";
import { type Device, openSession } from "../../../kernels/onnx/session.ts";
import {
  forwardGraph,
  parametersOf,
  sizeOfHead,
  type TransformerConfig,
} from "../../../kernels/onnx/transformer.ts";
import { countOf } from "../../../kernels/onnx/parameters.ts";
import { type Batch, inputsOf, SMALL, VARIANTS, weightsFor } from "./models.ts";
import { deviceTest } from "./devices.ts";

const BATCH = 3;

type Outputs = Readonly<Record<string, ArrayLike<number>>>;

async function said(
  config: TransformerConfig,
  inputs: Batch,
): Promise<Outputs> {
  const options = { batch: BATCH, weights: weightsFor(config) };
  const session = await openSession(forwardGraph(config, options));
  const outputs = await session.run(inputs);
  await session.release();
  return outputs as unknown as Outputs;
}

/** Step `t` of inputs `[batch, context, …]`. */
function stepOf(inputs: Batch, t: number, context: number): Batch {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, data]) => {
      const width = data.length / BATCH / context;
      const rows = Array.from({ length: BATCH }, (_, b) => {
        const from = (b * context + t) * width;
        return [...data.subarray(from, from + width) as Float32Array];
      });
      const Kind = data.constructor as Float32ArrayConstructor;
      return [name, Kind.from(rows.flat())];
    }),
  );
}

async function played(
  config: TransformerConfig,
  inputs: Batch,
  steps: number,
  device: Device = "cpu",
): Promise<ReadonlyArray<Outputs>> {
  const weights = weightsFor(config);
  const play = playGraph(config, { batch: BATCH, weights, device });
  const session = await openSession(play.graph, { ...play, device });
  startPlay(session, play);
  const outputs: Array<Outputs> = [];
  const length = inputs["previousReward"]!.length / BATCH;
  // A trial before leaves its keys, which must not be seen.
  for (const t of [...Array(steps).keys(), ...Array(steps).keys()]) {
    const step = stepOf(inputs, t, length);
    const said = await playStep(session, play, t, step);
    outputs.push(said as unknown as Outputs);
  }
  await session.release();
  return outputs.slice(steps);
}

/** The largest difference at step `t` of a window. */
function apart(
  config: TransformerConfig,
  whole: Outputs,
  step: Outputs,
  t: number,
): number {
  let largest = 0;
  for (const head of config.outputs) {
    const size = sizeOfHead(config, head);
    equal(step[`head.${head}`]!.length, BATCH * size);
    for (let i = 0; i < BATCH * size; i++) {
      const row = Math.floor(i / size) * config.context + t;
      const error = Math.abs(
        whole[`head.${head}`]![row * size + i % size]! -
          step[`head.${head}`]![i]!,
      );
      largest = error <= largest ? largest : error;
    }
  }
  return largest;
}

for (const [name, config] of Object.entries(VARIANTS)) {
  Deno.test(`play says what the whole window says: ${name}`, async () => {
    const inputs = inputsOf(config, BATCH);
    const whole = await said(config, inputs);
    const steps = await played(config, inputs, config.context);
    for (const [t, step] of steps.entries()) {
      const error = apart(config, whole, step, t);
      ok(error < 1e-5, `off by ${error} at ${t}`);
    }
  });

  Deno.test(`a model does not see what is to come: ${name}`, async () => {
    const inputs = inputsOf(config, BATCH);
    const before = await said(config, inputs);
    const changed = inputs["previousReward"]!.slice() as Float32Array;
    const last = config.context - 1;
    for (let b = 0; b < BATCH; b++) changed[b * config.context + last]! += 1;
    const after = await said(config, { ...inputs, previousReward: changed });
    const { actions, context } = config;
    const rows = before["head.action"]!.length / actions;
    for (let row = 0; row < rows; row++) {
      const from = row * actions;
      const [one, two] = [before, after].map((outputs) =>
        Array.from(outputs["head.action"]!).slice(from, from + actions)
      );
      equal(String(one) === String(two), row % context !== last, `row ${row}`);
    }
  });
}

Deno.test("rotary play goes on past the context, over one layer's window", async () => {
  // With one layer the window that slides sees what a window of its own sees.
  const config = { ...SMALL, layers: 1, context: 4 };
  const long = inputsOf({ ...config, context: 9 }, BATCH);
  const steps = await played(config, long, 9);
  const windows = Array.from({ length: 4 }, (_, i) => stepOf(long, 5 + i, 9));
  const window: Batch = Object.fromEntries(
    Object.keys(long).map((name) => {
      const Kind = long[name]!.constructor as Float32ArrayConstructor;
      const rows = Array.from(
        { length: BATCH },
        (_, b) => windows.map((step) => Number(step[name]![b])),
      );
      return [name, Kind.from(rows.flat())];
    }),
  );
  const error = apart(config, await said(config, window), steps[8]!, 3);
  ok(error < 1e-5, `off by ${error}`);
});

Deno.test("models come in all sizes", () => {
  const sized = (width: number, layers: number) =>
    countOf(parametersOf({ ...SMALL, width, layers, outputs: ["action"] }));
  ok(sized(32, 1) < 20_000);
  ok(sized(768, 14) > 99_000_000);
});

Deno.test("a head of a fraction, or an odd one, is refused", () => {
  throws(() => parametersOf({ ...SMALL, heads: 3 }), GraphError);
  throws(() => parametersOf({ ...SMALL, heads: 16 }), GraphError);
});

Deno.test("learned positions end with the context", async () => {
  const config = VARIANTS["one token, learned"]!;
  const inputs = inputsOf({ ...config, context: 8 }, BATCH);
  await rejects(played(config, inputs, 8), /A run failed/);
});

Deno.test("weights are constants where they are given, else inputs", () => {
  const bare = forwardGraph(SMALL, { batch: 1 });
  const full = forwardGraph(SMALL, { batch: 1, weights: weightsFor(SMALL) });
  const names = parametersOf(SMALL).map(({ name }) => name);
  deepEqual(names.filter((name) => !bare.inputs.has(name)), []);
  deepEqual(names.filter((name) => full.inputs.has(name)), []);
});

deviceTest("play", "webgpu", async () => {
  const config = { ...VARIANTS["three tokens, rotary"]!, context: 4 };
  const long = inputsOf({ ...config, context: 6 }, BATCH);
  const here = await played(config, long, 6);
  const there = await played(config, long, 6, "webgpu");
  for (const [t, step] of there.entries()) {
    for (const [name, said] of Object.entries(step)) {
      const wanted = here[t]![name]!;
      for (let i = 0; i < said.length; i++) {
        ok(Math.abs(said[i]! - wanted[i]!) < 1e-4, `${name} at ${t}`);
      }
    }
  }
});
