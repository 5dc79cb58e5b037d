/**
 * What a model reads at each step of play, a row for each trial; and whether it
 * can play a task at all.
 *
 * @module
 */
import type { Observation } from "../../envs/env.ts";
import type { Before, Seat } from "../../envs/lockstep.ts";
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import { DataError } from "../errors.ts";

/** Heads that can choose actions, the one to be read first. */
const CHOOSERS = ["action", "q"] as const;
export type Chooser = typeof CHOOSERS[number];

/** The head that chooses: logits of actions, or where there are none Q-values. */
export function chooserOf({ outputs }: TransformerConfig): Chooser {
  const head = CHOOSERS.find((name) => outputs.includes(name));
  if (head !== undefined) return head;
  throw new DataError({
    message: `Cannot play a model that says ${
      outputs.join(", ") || "nothing"
    }: a head of actions or of Q-values expected`,
  });
}

/** Arrays of one entry (or vector) a trial, as the graph names them. */
export interface Inputs {
  readonly [name: string]: Int32Array | Float32Array;
  readonly observation: Int32Array | Float32Array;
  readonly previousAction: Int32Array;
  readonly previousReward: Float32Array;
  readonly previousEnd: Int32Array;
}

/** Inputs of `batch` trials; each step bears `tag`, or none of the model's. */
export function inputsFor(
  { observations, tags }: TransformerConfig,
  batch: number,
  tag: number | undefined,
): Inputs {
  return {
    observation: typeof observations === "number"
      ? new Int32Array(batch)
      : new Float32Array(batch * observations.vector),
    previousAction: new Int32Array(batch),
    previousReward: new Float32Array(batch),
    previousEnd: new Int32Array(batch),
    ...(tags && { tag: new Int32Array(batch).fill(tag ?? tags) }),
  };
}

/** Of what a prompt may show: worlds were looked at before play. */
function unknown(shown: string, known: string): DataError {
  return new DataError({
    message:
      `Cannot play: a trial shows ${shown}, and the model knows ${known}`,
  });
}

/** Puts what trial `b` reads into its row; a DataError if the model cannot. */
export function putInputs(
  { observations, actions }: TransformerConfig,
  inputs: Inputs,
  b: number,
  observation: Observation,
  before: Before,
): void {
  if (typeof observations === "number") {
    if (!(Number(observation) < observations)) {
      throw unknown(`${observation}`, `${observations} observations`);
    }
    inputs.observation[b] = observation as number;
  } else {
    const vector = observation as ReadonlyArray<number>;
    if (vector.length !== observations.vector) {
      throw unknown(`${observation}`, `vectors of ${observations.vector}`);
    }
    inputs.observation.set(vector, b * observations.vector);
  }
  const { action, reward, end } = before;
  if (action !== undefined && action >= actions) {
    throw unknown(`action ${action}`, `${actions} actions`);
  }
  inputs.previousAction[b] = action ?? actions;
  inputs.previousReward[b] = reward;
  inputs.previousEnd[b] = end;
}

function refuse({ env }: Seat, has: string, knows: string): never {
  throw new DataError({
    message: `Cannot play ${env.name}: it has ${has}, and the model ${knows}`,
  });
}

/** What packs must be made with for a model to know `n` of something. */
function packedWith(flag: string, n: number): string {
  return `; one that can is trained on packs of --${flag} ${n}`;
}

/** Of seats that the model cannot play, the DataError says why. */
export function checkSeats(
  { observations, actions }: TransformerConfig,
  seats: ReadonlyArray<Seat>,
): void {
  let [seen, done] = [0, 0];
  for (const seat of seats) {
    const { env, task } = seat;
    const space = env.observations(task);
    if (space.kind === "discrete") seen = Math.max(seen, space.n);
    const count = env.actions(task);
    if (typeof count !== "number") {
      refuse(seat, "vectors as actions", `knows ${actions} actions`);
    }
    done = Math.max(done, count);
    if (typeof observations === "number") {
      if (space.kind === "discrete") continue;
      const what = space.kind === "text" ? "text" : "vectors";
      refuse(seat, `${what} as observations`, `knows ${observations} integers`);
    }
    const width = space.kind === "box"
      ? space.shape.reduce((a, b) => a * b, 1)
      : undefined;
    if (width === observations.vector) continue;
    refuse(
      seat,
      width === undefined ? "no vectors" : `vectors of ${width} numbers`,
      `sees vectors of ${observations.vector}`,
    );
  }
  const [first] = seats;
  if (first === undefined) return;
  if (typeof observations === "number" && seen > observations) {
    const knows = `knows ${observations}` + packedWith("observations", seen);
    refuse(first, `${seen} observations`, knows);
  }
  if (done <= actions) return;
  const knows = `knows ${actions}` + packedWith("actions", done);
  refuse(first, `${done} actions`, knows);
}
