/**
 * Rooms to play in: the graph of a model for so many trials at once, and where
 * its keys and values are kept. Trials that are not over when most of the others
 * are move to a smaller room, since a step costs as much as the room is large.
 * What a model says of a trial does not depend, on the CPU, on who else is there.
 *
 * @module
 */
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
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import type { Inputs } from "./inputs.ts";

/** One size of room. */
export interface Room {
  readonly batch: number;
  readonly play: Play;
  readonly session: Session;
}

/** Rooms of one model, opened as they are asked for. */
export interface Rooms {
  readonly room: (batch: number) => Promise<Room>;
  readonly release: () => Promise<void>;
}

/** Below so many trials a smaller room saves nothing. */
const SMALLEST = 8;

export function roomsOf(
  config: TransformerConfig,
  weights: Weights,
  device: Device,
  threads: number | undefined,
): Rooms {
  const rooms = new Map<number, Room>();
  return {
    room: async (batch) => {
      const known = rooms.get(batch);
      if (known !== undefined) return known;
      const play = playGraph(config, { batch, weights, device });
      const session = await openSession(play.graph, {
        ...play,
        device,
        ...(threads !== undefined && { threads }),
      });
      const room = { batch, play, session };
      rooms.set(batch, room);
      return room;
    },
    release: async () => {
      for (const { session } of rooms.values()) await session.release();
    },
  };
}

/** How large a room is to be that has `trials` left; its own size if it is good. */
export function sizeFor(batch: number, trials: number, device: Device): number {
  // Elsewhere keys and values are out of reach.
  if (device === "webgpu") return batch;
  let size = batch;
  while (size > SMALLEST && trials <= Math.ceil(size / 2)) {
    size = Math.ceil(size / 2);
  }
  return size;
}

/** Takes what is kept of trials in rows `from` of a room to the rows of another. */
export function move(
  { session: old, play: { state } }: Room,
  { session, play, batch }: Room,
  from: ReadonlyArray<number>,
): void {
  startPlay(session, play);
  for (const name of Object.keys(state)) {
    const kept = old.held(name) as Float32Array;
    const into = session.held(name) as Float32Array;
    const row = into.length / batch;
    from.forEach((at, b) => {
      into.set(kept.subarray(at * row, (at + 1) * row), b * row);
    });
  }
}

/** One step of all trials in a room: what each head says. */
export function stepRoom(
  { session, play }: Room,
  position: number,
  inputs: Inputs,
): ReturnType<typeof playStep> {
  return playStep(session, play, position, { ...inputs });
}
