import { ok } from "node:assert/strict";
import { gradients } from "../../../kernels/onnx/gradients.ts";
import type { Data } from "../../../kernels/onnx/graph.ts";
import {
  imitation,
  type Loss,
  policyGradient,
} from "../../../kernels/onnx/losses.ts";
import { DELAYED } from "../../../kernels/onnx/parameters.ts";
import { doubleDqn, LEAST_MEAN } from "../../../kernels/onnx/q_learning.ts";
import { openSession } from "../../../kernels/onnx/session.ts";
import { lossGraph } from "../../../kernels/onnx/training.ts";
import {
  parametersOf,
  type TransformerConfig,
} from "../../../kernels/onnx/transformer.ts";
import { python, torchPython } from "../../peers.ts";
import {
  type Batch,
  floats,
  inputsOf,
  SMALL,
  targetsOf,
  VARIANTS,
  weightsFor,
} from "./models.ts";

const BATCH = 3;

interface Result {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, ReadonlyArray<number>>>;
}

type Arrays = Readonly<Record<string, Data>>;

/** A loss, its settings as the other side reads them, and what it reads. */
interface Objective {
  readonly name: "imitation" | "pg" | "dqn";
  readonly share: Readonly<Record<string, number>>;
  readonly loss: Loss;
  readonly targets: (config: TransformerConfig) => Batch;
  /** Gradients that are at least not 0. */
  readonly moved: number;
}

const IMITATION = {
  action: 0.4,
  nextObservation: 0.3,
  reward: 0.2,
  value: 0.1,
};
const CLIPPED = {
  ...{ low: 0.2, high: 0.3, dual: 3, entropy: 0.01, kl: 0.5, value: 0.2 },
};

/** Steps, a third of them masked. */
function maskOf(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Number(i % 3 !== 1));
}

const OBJECTIVES: ReadonlyArray<Objective> = [
  {
    name: "imitation",
    share: IMITATION,
    loss: imitation(IMITATION),
    targets: (config) => targetsOf(config, BATCH),
    moved: 5000,
  },
  {
    name: "pg",
    share: CLIPPED,
    loss: policyGradient({ ...CLIPPED, aggregation: "token-mean" }),
    targets: ({ context }) => ({
      mask: maskOf(BATCH * context),
      advantage: floats("advantage", BATCH * context),
      oldLogProbability: floats("old", BATCH * context).map((x) => x / 2 - 1),
      target: floats("target", BATCH * context),
    }),
    moved: 4000,
  },
  {
    name: "dqn",
    share: { rewardScale: 2, least: LEAST_MEAN },
    loss: doubleDqn({ rewardScale: 2, relative: true }),
    targets: ({ context }) => ({
      mask: maskOf(BATCH * context),
      reward: floats("reward", BATCH * context),
      discount: maskOf(BATCH * context).map((x, i) =>
        (i + 1) % context === 0 ? 0 : 0.9 * x
      ),
    }),
    moved: 4000,
  },
];

function graphOf(config: TransformerConfig, { name, loss }: Objective) {
  const { graph, terms } = lossGraph(config, loss, BATCH, name === "dqn");
  const names = parametersOf(config).map(({ name }) => name);
  const weights = names.map((name) => graph.inputs.get(name)!);
  gradients(terms.loss, weights).forEach((g, i) => {
    graph.output(`slope.${names[i]}`, g);
  });
  return { graph, names };
}

async function ours(
  config: TransformerConfig,
  objective: Objective,
  feeds: Arrays,
): Promise<Result> {
  const { graph, names } = graphOf(config, objective);
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
  objective: Objective,
  weights: Arrays,
  inputs: Arrays,
  interpreter: string,
): Promise<Result> {
  const plain = (arrays: Arrays) =>
    Object.fromEntries(
      Object.entries(arrays).map(([name, x]) => [name, Array.from(x, Number)]),
    );
  const { graph } = graphOf(config, objective);
  const shapes = Object.fromEntries(
    Array.from(graph.inputs, ([name, x]) => [name, x.shape]),
  );
  const file = Deno.makeTempFileSync();
  const given = {
    config,
    shapes,
    objective: objective.name,
    share: objective.share,
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

/** Weights, and for DQN others beside them that are delayed. */
function valuesFor(config: TransformerConfig, { name }: Objective): Batch {
  const weights = weightsFor(config);
  if (name !== "dqn") return { ...weights };
  const late = Object.entries(weights).map(([name, values]) =>
    [DELAYED + name, values.toReversed()] as const
  );
  return { ...weights, ...Object.fromEntries(late) };
}

/** Those of some arrays that the graph has an input for. */
function inputsIn(config: TransformerConfig, objective: Objective): Batch {
  const { graph } = graphOf(config, objective);
  const all = { ...inputsOf(config, BATCH), ...objective.targets(config) };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => graph.inputs.has(name)),
  );
}

const interpreter = torchPython();
const why = interpreter ? "" : " (skipped: no torch in .venv, nor of Debian)";

function checkGradients(
  name: string,
  config: TransformerConfig,
  objective: Objective,
): void {
  Deno.test(`gradients are PyTorch's: ${name}${why}`, {
    ignore: interpreter === undefined,
  }, async () => {
    const weights = valuesFor(config, objective);
    const inputs = inputsIn(config, objective);
    const wanted = await theirs(
      config,
      objective,
      weights,
      inputs,
      interpreter!,
    );
    const found = await ours(config, objective, { ...weights, ...inputs });
    ok(Math.abs(found.loss - wanted.loss) < 1e-5 * Math.abs(wanted.loss));
    let moved = 0;
    for (const [parameter, slopes] of Object.entries(found.gradients)) {
      // A head with no part in the loss: its gradient is none there, and 0 here.
      const theirs = wanted.gradients[parameter]!;
      const size = Math.max(1e-2, ...theirs.map(Math.abs));
      slopes.forEach((slope, i) => {
        const error = Math.abs(slope - (theirs[i] ?? 0)) / size;
        ok(error < 1e-4, `${parameter}[${i}]: ${slope}, not ${theirs[i]}`);
        if (slope !== 0) moved++;
      });
    }
    ok(moved > objective.moved, `${moved} gradients are not 0`);
  });
}

const [first, ...others] = OBJECTIVES;
for (const [name, config] of Object.entries(VARIANTS)) {
  checkGradients(name, config, first!);
}
for (const objective of others) {
  checkGradients(objective.name, SMALL, objective);
}
