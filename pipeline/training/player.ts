/**
 * A trained model at play, many trials in step.
 *
 * @module
 */
import { type Playing, type Seat, sitDown } from "../../envs/lockstep.ts";
import { chooseAction } from "../../kernels/choose.ts";
import {
  type Play,
  playGraph,
  playStep,
  startPlay,
} from "../../kernels/onnx/play.ts";
import type { Weights } from "../../kernels/onnx/parameters.ts";
import {
  type Device,
  openSession,
  type Session,
} from "../../kernels/onnx/session.ts";
import {
  readsAction,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { type Generator, generator } from "../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../kernels/random/key.ts";
import { DataError } from "../errors.ts";

export interface PlayerOptions {
  /** Trials at once. */
  readonly batch: number;
  /** Of the softmax; 0 takes the largest. */
  readonly temperature: number;
  readonly device: Device;
  readonly threads: number | undefined;
}

/** Plays trials; `release` it when it is done with. */
export interface Player {
  /** As many trials as the batch, or fewer; all of them played to their ends. */
  readonly play: (
    seats: ReadonlyArray<Seat>,
  ) => Promise<ReadonlyArray<Playing>>;
  readonly release: () => Promise<void>;
}

/** What the model reads, a row for each trial. */
interface Inputs {
  readonly observation: Int32Array | Float32Array;
  readonly previousAction: Int32Array;
  readonly previousReward: Float32Array;
  readonly action?: Int32Array;
}

function inputsFor(config: TransformerConfig, batch: number): Inputs {
  const { observations } = config;
  return {
    observation: typeof observations === "number"
      ? new Int32Array(batch)
      : new Float32Array(batch * observations.vector),
    previousAction: new Int32Array(batch),
    previousReward: new Float32Array(batch),
    ...(readsAction(config) && { action: new Int32Array(batch) }),
  };
}

/** Puts what a trial sees into row `b`. */
function seat(
  { observations, actions }: TransformerConfig,
  inputs: Inputs,
  b: number,
  playing: Playing,
): void {
  const { observation } = playing;
  if (typeof observations === "number") {
    if (!(Number(observation) < observations)) {
      throw new DataError({
        message:
          `Cannot play ${playing.seat.env.name}: it shows ${observation}, and the model knows ${observations} observations`,
      });
    }
    inputs.observation[b] = observation as number;
  } else {
    const vector = observation as ReadonlyArray<number>;
    if (vector.length !== observations.vector) {
      throw new DataError({
        message:
          `Cannot play ${playing.seat.env.name}: the model sees vectors of ${observations.vector} numbers`,
      });
    }
    inputs.observation.set(vector, b * observations.vector);
  }
  inputs.previousAction[b] = playing.previousAction ?? actions;
  inputs.previousReward[b] = playing.previousReward;
}

/** What an environment must have to be played by the model. */
function checkSeat(
  { actions }: TransformerConfig,
  { env, task }: Seat,
): number {
  const count = env.actions(task);
  if (typeof count === "number" && count <= actions) return count;
  throw new DataError({
    message: `Cannot play ${env.name}: it has ${
      typeof count === "number" ? count : "vectors as"
    } actions, and the model knows ${actions}`,
  });
}

async function playAll(
  session: Session,
  play: Play,
  config: TransformerConfig,
  seats: ReadonlyArray<Seat>,
  { batch, temperature }: PlayerOptions,
): Promise<ReadonlyArray<Playing>> {
  const counts = seats.map((own) => checkSeat(config, own));
  const all = seats.map(sitDown);
  const randoms: ReadonlyArray<Generator> = seats.map(({ seed }) =>
    generator(foldIn(rootKey(seed), "policy"))
  );
  const inputs = inputsFor(config, batch);
  for (let position = 0; all.some(({ isOver }) => !isOver); position++) {
    all.forEach((playing, b) => {
      if (!playing.isOver) seat(config, inputs, b, playing);
    });
    const said = await playStep(session, play, position, { ...inputs });
    const logits = said["head.action"] as Float32Array;
    all.forEach((playing, b) => {
      if (playing.isOver) return;
      const at = b * config.actions;
      playing.take(
        chooseAction(logits, at, counts[b]!, temperature, randoms[b]!),
      );
    });
  }
  return all;
}

export async function openPlayer(
  config: TransformerConfig,
  weights: Weights,
  options: PlayerOptions,
): Promise<Player> {
  const { batch, device, threads } = options;
  const play = playGraph(config, { batch, weights, device });
  const session = await openSession(play.graph, {
    ...play,
    device,
    ...(threads !== undefined && { threads }),
  });
  return {
    play: (seats) => {
      startPlay(session, play);
      return playAll(session, play, config, seats, options);
    },
    release: () => session.release(),
  };
}
