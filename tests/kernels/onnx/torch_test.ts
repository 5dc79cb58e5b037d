import { ok } from "node:assert/strict";
import { gradients } from "../../../kernels/onnx/gradients.ts";
import type { Data } from "../../../kernels/onnx/graph.ts";
import { imitation } from "../../../kernels/onnx/losses.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { lossGraph } from "../../../kernels/onnx/training.ts";
import {
  parametersOf,
  type TransformerConfig,
} from "../../../kernels/onnx/transformer.ts";
import { python, torchPython } from "../../peers.ts";
import { inputsOf, targetsOf, VARIANTS, weightsFor } from "./models.ts";

const BATCH = 3;
const SHARE = { action: 0.4, nextObservation: 0.3, reward: 0.2, value: 0.1 };

interface Result {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, ReadonlyArray<number>>>;
}

type Arrays = Readonly<Record<string, Data>>;

function graphOf(config: TransformerConfig) {
  const { graph, terms } = lossGraph(config, imitation(SHARE), BATCH);
  const names = parametersOf(config).map(({ name }) => name);
  const weights = names.map((name) => graph.inputs.get(name)!);
  gradients(terms.loss, weights).forEach((g, i) => {
    graph.output(`slope.${names[i]}`, g);
  });
  return { graph, names };
}

async function ours(config: TransformerConfig, feeds: Arrays): Promise<Result> {
  const { graph, names } = graphOf(config);
  const session = await openSession(graph);
  const outputs = await session.run(feeds);
  await session.release();
  const entries = names.map((name) => {
    return [name, Array.from(outputs[`slope.${name}`]!, Number)] as const;
  });
  const loss = Number(outputs["loss"]![0]);
  return { loss, gradients: Object.fromEntries(entries) };
}

async function theirs(
  config: TransformerConfig,
  weights: Arrays,
  inputs: Arrays,
  interpreter: string,
): Promise<Result> {
  const plain = (arrays: Arrays) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, x]) => [name, Array.from(x, Number)]),
    );
  const shapes = Object.fromEntries(
    Array.from(graphOf(config).graph.inputs, ([name, x]) => [name, x.shape]),
  );
  const file = Deno.makeTempFileSync();
  const given = {
    config,
    shapes,
    share: SHARE,
    weights: plain(weights),
    inputs: plain(inputs),
  };
  Deno.writeTextFileSync(file, JSON.stringify(given));
  try {
    return JSON.parse(await python("torch_peer.py", [file], interpreter));
  } finally {
    Deno.removeSync(file);
  }
}

const interpreter = torchPython();
const why = interpreter ? "" : " (skipped: no torch in .venv, nor of Debian)";

for (const [name, config] of Object.entries(VARIANTS)) {
  Deno.test(`gradients are PyTorch's: ${name}${why}`, {
    ignore: interpreter === undefined,
  }, async () => {
    const weights = weightsFor(config);
    const inputs = { ...inputsOf(config, BATCH), ...targetsOf(config, BATCH) };
    const wanted = await theirs(config, weights, inputs, interpreter!);
    const found = await ours(config, { ...weights, ...inputs });
    ok(Math.abs(found.loss - wanted.loss) < 1e-5 * wanted.loss);
    let moved = 0;
    for (const [parameter, slopes] of Object.entries(found.gradients)) {
      // Q has no part in the loss: its gradient is none there, and 0 here.
      const theirs = wanted.gradients[parameter]!;
      const size = Math.max(1e-2, ...theirs.map(Math.abs));
      slopes.forEach((slope, i) => {
        const error = Math.abs(slope - (theirs[i] ?? 0)) / size;
        ok(error < 1e-4, `${parameter}[${i}]: ${slope}, not ${theirs[i]}`);
        if (slope !== 0) moved++;
      });
    }
    ok(moved > 5000, `${moved} gradients are not 0`);
  });
}
