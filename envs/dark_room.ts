/**
 * Dark Room: find a goal that cannot be seen (Laskin and others 2023,
 * "In-context reinforcement learning with algorithm distillation").
 *
 * @module
 */
import { integer } from "../kernels/random/generator.ts";
import { horizonParam, num, type ParamSpecs } from "./params.ts";
import { drawRoom, type Move, walk } from "./grid.ts";
import { blankTable, defineTabular, type Tabular } from "./tabular.ts";
import type { Table } from "./table.ts";

/** Stay, up, right, down, left. */
export const COMPASS: ReadonlyArray<Move> = [
  [0, 0],
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
];

/** A square room, and the cell of the goal in it. */
export interface Room {
  readonly size: number;
  readonly horizon: number;
  readonly goal: number;
}

/** The cell in the middle; of an even room the one below and right of it. */
export function centre(size: number): number {
  const middle = Math.floor(size / 2);
  return middle * size + middle;
}

/** Parameters of a room of `size`, with episodes of `horizon` steps. */
export function roomParams(size: number, horizon: number): ParamSpecs {
  return {
    size: {
      default: size,
      integer: true,
      min: 2,
      max: 64,
      summary: "Cells on a side",
    },
    horizon: horizonParam(horizon),
  };
}

/** A room that pays 1 for each step that ends on the goal. */
export function roomTable(
  { size, goal }: Room,
  start: number,
  moves: ReadonlyArray<Move>,
): Table {
  const table = blankTable(size * size, moves.length, 1, [start]);
  table.next.set(walk(size, size, moves));
  for (let k = 0; k < table.next.length; k++) {
    if (table.next[k] === goal) table.reward[k] = table.success[k] = 1;
  }
  return table;
}

/** A goal in any cell: what rooms with an unseen goal have in common. */
export const anyGoal: Pick<
  Tabular<Room>,
  "label" | "sampleTask" | "horizon" | "world"
> = {
  label: (params) => `${params.size}x${params.size}`,
  sampleTask: (random, params) => {
    const size = num(params, "size");
    const goal = integer(random, size * size);
    return { size, horizon: num(params, "horizon"), goal };
  },
  horizon: (room) => room.horizon,
  world: ({ size, goal }) => [size, goal],
};

/** The room with start S, goal G, and the agent @ where it is known. */
export function drawGoal(room: Room, start: number, agent?: number): string {
  return drawRoom(room.size, room.size, [
    [start, "S"],
    [room.goal, "G"],
    [agent, "@"],
  ]);
}

/**
 * The start is the centre, and the goal may be any cell, the start too. Every
 * step that ends on the goal pays 1; nothing ends the episode early. An episode
 * counts as solved once it was on the goal.
 */
export const darkRoom = defineTabular<Room>({
  name: "dark-room",
  version: 1,
  summary: "Find the unseen goal of a room and stay on it",
  params: roomParams(9, 20),
  ...anyGoal,
  table: (room) => roomTable(room, centre(room.size), COMPASS),
  render: (room, state) => drawGoal(room, centre(room.size), state),
});
