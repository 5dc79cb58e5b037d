/**
 * Dark Room as the Decision-Pretrained Transformer has it (Lee and others 2023,
 * arXiv 2306.14892): it starts in a corner, the agent sees its column and row,
 * and the actions have another order.
 *
 * @module
 */
import {
  anyGoal,
  drawGoal,
  type Room,
  roomParams,
  roomTable,
} from "./dark_room.ts";
import type { Move } from "./grid.ts";
import { defineTabular } from "./tabular.ts";
import type { Table } from "./table.ts";

/** Right, left, down, up, stay; x grows to the right and y downwards. */
export const CORNER_MOVES: ReadonlyArray<Move> = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [0, 0],
];

/** The room with its start at (0, 0) and observations (x, y). */
export function cornerTable(room: Room, moves: ReadonlyArray<Move>): Table {
  const { size } = room;
  const values = new Float64Array(2 * size * size);
  for (let cell = 0; cell < size * size; cell++) {
    values[2 * cell] = cell % size;
    values[2 * cell + 1] = Math.floor(cell / size);
  }
  return { ...roomTable(room, 0, moves), vectors: { width: 2, values } };
}

/** Each step that ends on the goal pays 1; any cell may be the goal. */
export const darkRoomDpt = defineTabular<Room>({
  name: "dark-room-dpt",
  version: 1,
  summary: "Dark Room from a corner, seeing column and row",
  params: roomParams(10, 100),
  ...anyGoal,
  table: (room) => cornerTable(room, CORNER_MOVES),
  render: (room, state) => drawGoal(room, 0, state),
});
