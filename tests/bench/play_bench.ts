/**
 * A learner at play, 256 trials in step with cached keys and values, environment
 * and all, against the same model over the whole window at every step.
 *
 * @module
 */
import { darkRoom } from "../../envs/dark_room.ts";
import { resolveParams } from "../../envs/params.ts";
import { drawTask } from "../../envs/rollout.ts";
import { initialise } from "../../kernels/onnx/parameters.ts";
import { openSession } from "../../kernels/onnx/session.ts";
import {
  forwardGraph,
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { openPlayer } from "../../pipeline/playing/player.ts";
import { compare, report } from "./measure.ts";

/** The demo's. */
const MODEL: TransformerConfig = {
  observations: 81,
  actions: 5,
  width: 64,
  layers: 3,
  heads: 2,
  context: 200,
  tokens: "step",
  positions: "rotary",
  outputs: ["action"],
};
const BATCH = 256;
/** Steps of each trial. */
const STEPS = 200;
/** Steps of the plain way, which takes as long for each. */
const PLAIN = 4;

const weights = initialise(parametersOf(MODEL), rootKey("1"));
const seats = Array.from({ length: BATCH }, (_, i) => {
  const { task } = drawTask(darkRoom, resolveParams(darkRoom.params), `${i}`);
  return { env: darkRoom, task, seed: `${i}`, episodes: STEPS / 20 };
});
const sittings = seats.map((seat) => ({ seats: [seat] }));
const options = { batch: BATCH, temperature: 1, device: "cpu" } as const;
const player = await openPlayer(MODEL, weights, {
  ...options,
  threads: undefined,
});
const graph = forwardGraph(MODEL, { batch: BATCH, weights });
const session = await openSession(graph);
const cells = BATCH * MODEL.context;
const window = {
  observation: new Int32Array(cells),
  previousAction: new Int32Array(cells),
  previousReward: new Float32Array(cells),
  previousEnd: new Int32Array(cells),
};
const unit = { work: BATCH * STEPS / 1000, unit: "k steps/s" };
const plain = await compare("play, whole windows", {
  ...unit,
  work: BATCH * PLAIN / 1000,
}, [{
  name: "no cache",
  run: async () => {
    for (let i = 0; i < PLAIN; i++) await session.run(window);
  },
}]);
report(plain);
report(
  await compare("play, 256 trials", unit, [
    { name: "cached", run: async () => void await player.play(sittings) },
  ]),
);
await session.release();
await player.release();
