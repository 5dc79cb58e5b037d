/**
 * A step of training (forward, backward, clipping, AdamW) of a transformer of
 * 0.8 M weights on 8 windows of 256 steps, on two threads, against the same model
 * in PyTorch (its own attention and fused AdamW from 2.0 on), where that is
 * installed (`TORCH_PYTHON` may name the Python that has it); and play of many trials at once with cached keys.
 *
 * Rates count the products of the model alone, without those that the causal
 * mask would spare: 6 a weight of a block and a token, 12 a pair of tokens and
 * element of the width.
 *
 * @module
 */
import { imitation } from "../../kernels/onnx/losses.ts";
import { adamInputs, constant } from "../../kernels/onnx/optimiser.ts";
import { initialise } from "../../kernels/onnx/parameters.ts";
import { playGraph, playStep, startPlay } from "../../kernels/onnx/play.ts";
import { openSession } from "../../kernels/onnx/session.ts";
import { start, trainingStep } from "../../kernels/onnx/training.ts";
import {
  parametersOf,
  tokensOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { inputsOf, targetsOf } from "../kernels/onnx/models.ts";
import { torchPython } from "../peers.ts";
import { compare, type Contender, report } from "./measure.ts";

const THREADS = 2;
const BATCH = 8;
const CONFIG: TransformerConfig = {
  observations: 64,
  actions: 5,
  width: 128,
  layers: 4,
  heads: 4,
  context: 256,
  tokens: "step",
  positions: "rotary",
  outputs: ["action"],
};

/** Floating-point operations of a step of training, in units of 10⁹. */
function gigaflops(config: TransformerConfig): number {
  const { width, layers, context } = config;
  const tokens = context * tokensOf(config);
  const each = 6 * 12 * width ** 2 + 12 * tokens * width;
  return layers * each * BATCH * tokens / 1e9;
}

async function ours(config: TransformerConfig): Promise<Contender> {
  const loss = imitation({ action: 1 });
  const training = trainingStep(config, loss, { batch: BATCH, clip: 1 });
  const { graph, feedback, parameters, adam } = training;
  const session = await openSession(graph, { feedback, threads: THREADS });
  start(session, training, initialise(parameters, rootKey("7")));
  const batch = { ...inputsOf(config, BATCH), ...targetsOf(config, BATCH) };
  let update = 0;
  const run = async () => {
    const rates = adamInputs(constant(1e-3), ++update, adam);
    await session.run({ ...batch, ...rates });
  };
  return { name: "kernels/onnx", run };
}

/** PyTorch in a process of its own, which makes a step for each line it reads. */
function theirs(config: TransformerConfig, interpreter: string): Contender {
  const script = new URL("onnx_bench.py", import.meta.url).pathname;
  const given = JSON.stringify({ ...config, batch: BATCH, threads: THREADS });
  const child = new Deno.Command(interpreter, {
    args: [script, given],
    // Threads that wait in a loop would take the other side's time.
    env: { OMP_WAIT_POLICY: "PASSIVE" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  child.unref();
  const to = child.stdin.getWriter();
  const from = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const run = async () => {
    await to.write(new TextEncoder().encode("\n"));
    for (let line = ""; !line.endsWith("\n");) {
      const { value, done } = await from.read();
      if (done) throw new Error(`${script} failed`);
      line += value;
    }
  };
  return { name: "PyTorch", run };
}

async function player(batch: number): Promise<Contender> {
  const weights = initialise(parametersOf(CONFIG), rootKey("7"));
  const play = playGraph(CONFIG, { batch, weights });
  const session = await openSession(play.graph, { ...play, threads: THREADS });
  startPlay(session, play);
  const inputs = inputsOf({ ...CONFIG, context: 1 }, batch);
  let position = 0;
  const run = async () => {
    for (let i = 0; i < 8; i++) {
      await playStep(session, play, position++, inputs);
    }
  };
  return { name: `play, ${batch} trials`, run };
}

const interpreter = torchPython();
for (const tokens of ["step", "three"] as const) {
  const config = { ...CONFIG, tokens };
  const unit = { work: gigaflops(config), unit: "GFLOP/s" };
  const peer = interpreter ? [theirs(config, interpreter)] : [];
  const contenders = [...peer, await ours(config)];
  const name = `training, ${BATCH} x ${config.context}, ${tokens}`;
  report(await compare(name, unit, contenders));
}
for (const batch of [1, 64]) {
  const unit = { work: 8 * batch, unit: "steps/s" };
  report(await compare("cached play", unit, [await player(batch)]));
}
